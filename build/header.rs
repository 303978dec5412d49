//! include/zvpos.h: what cbindgen makes of the sources, with the calling conventions that it cannot write.

use std::fmt::Write;
use std::path::Path;

/// The stdcall twins stand where the declarations end.
const END: &str = "#ifdef __cplusplus\n}";

const TWINS: &str = "\
#if defined(_WIN32) && !defined(_WIN64)
/*
 * The same functions with the calling convention stdcall, for 32-bit hosts that know no other (VB6, PowerBuilder,
 * 易语言). The 32-bit DLL exports both; the names have no decoration there.
 */
";

/// One exported function as the header declares it.
pub(crate) struct Function {
    /// `zv_init`
    pub(crate) name: String,
    /// `char *`, or `int32_t ` with the space behind it.
    returns: String,
    /// `const char *config_json`
    parameters: Vec<String>,
}

impl Function {
    /// `zvs_init`
    pub(crate) fn twin(&self) -> String {
        self.name.replacen("zv_", "zvs_", 1)
    }

    /// What a stdcall function takes off the stack: each of our parameters has 32 bits there.
    pub(crate) fn parameter_bytes(&self) -> usize {
        4 * self.parameters.len()
    }

    /// From `char *ZV_CALL zv_init(const char *config_json);`.
    fn parse(declaration: &str) -> Option<Function> {
        let (returns, rest) = declaration.split_once("ZV_CALL ")?;
        let (name, parameters) = rest.strip_suffix(");")?.split_once('(')?;
        if declaration.starts_with("typedef") {
            return None;
        }
        let parameters = parameters.split(',').map(str::trim).filter(|text| *text != "void");
        Some(Function {
            name: name.to_owned(),
            returns: returns.to_owned(),
            parameters: parameters.map(str::to_owned).collect(),
        })
    }

    fn twin_declaration(&self) -> String {
        let parameters =
            if self.parameters.is_empty() { "void".to_owned() } else { self.parameters.join(", ") };
        let parameters = parameters.replace("zv_log_fn", "zvs_log_fn");
        format!("{}__stdcall {}({parameters});\n", self.returns, self.twin())
    }
}

/// The whole header.
pub(crate) struct Header {
    text: String,
    functions: Vec<Function>,
}

impl Header {
    /// From the sources below `root`.
    pub(crate) fn of(root: &Path) -> Header {
        let config = cbindgen::Config::from_file(root.join("cbindgen.toml"))
            .unwrap_or_else(|error| panic!("cbindgen.toml: {error}"));
        let mut header = Vec::new();
        cbindgen::Builder::new()
            .with_config(config)
            .with_src(root.join("src/calls.rs"))
            .with_src(root.join("src/callback.rs"))
            .generate()
            .unwrap_or_else(|error| panic!("cbindgen: {error}"))
            .write(&mut header);
        let mut text = with_calling_convention(&String::from_utf8_lossy(&header));
        let declarations = declarations(&text);
        let functions: Vec<Function> =
            declarations.iter().filter_map(|declaration| Function::parse(declaration)).collect();
        let at = text.rfind(END).unwrap_or_else(|| panic!("the header has no end"));
        text.insert_str(at, &twins(&declarations, &functions));
        Header { text, functions }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn functions(&self) -> &[Function] {
        &self.functions
    }
}

/// `char *zv_init(` as `char *ZV_CALL zv_init(`: the place where both MSVC and gcc take a calling convention,
/// and which cbindgen cannot fill. Rust's `# Safety` chapters say to Rust what the prose says to C.
fn with_calling_convention(header: &str) -> String {
    let mut out = String::new();
    let mut in_safety = false;
    for line in header.lines() {
        let trimmed = line.trim();
        if trimmed == "* # Safety" {
            in_safety = true;
            // The empty comment line before it.
            while out.ends_with(" *\n") {
                out.truncate(out.len() - 3);
            }
        }
        if trimmed == "*/" {
            in_safety = false;
        }
        if in_safety {
            continue;
        }
        let is_comment = trimmed.starts_with(['*', '/']);
        let name = line
            .split_once("zv_")
            .filter(|(_, rest)| !is_comment && rest.contains('(') && !rest.starts_with("log_fn"));
        match name {
            Some((before, rest)) => {
                let _ = write!(out, "{before}ZV_CALL zv_{rest}");
            }
            None => out.push_str(
                &line
                    .replace("(*zv_log_fn)", "(ZV_CALL *zv_log_fn)")
                    // `//` is no comment in C89.
                    .replace("// __cplusplus", "/* __cplusplus */")
                    .replace("// extern \"C\"", "/* extern \"C\" */"),
            ),
        }
        out.push('\n');
    }
    out
}

/// What the header declares with a calling convention, each in one line.
fn declarations(header: &str) -> Vec<String> {
    let code = header.lines().filter(|line| !line.trim_start().starts_with(['*', '/', '#']));
    let code = code.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let parts = code.split_inclusive(';').map(str::trim);
    // The first of them stands behind the brace of `extern "C" {`.
    let parts = parts.map(|part| part.rsplit('{').next().unwrap_or(part).trim());
    parts.filter(|part| part.contains("ZV_CALL ")).map(str::to_owned).collect()
}

fn twins(declarations: &[String], functions: &[Function]) -> String {
    let mut out = TWINS.to_owned();
    for callback in declarations.iter().filter(|declaration| declaration.starts_with("typedef")) {
        let twin = callback.replace("ZV_CALL *zv_", "__stdcall *zvs_");
        let _ = writeln!(out, "{twin}");
    }
    for function in functions {
        out.push_str(&function.twin_declaration());
    }
    out.push_str("#endif\n\n");
    out
}
