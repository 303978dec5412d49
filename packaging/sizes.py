"""sizes.py: writes how large the files in target/shipped are into docs/platforms.md and docs/platforms.zh-CN.md.

Between the two marks of each page stands one row a target. A target that was not built keeps its row.
"""

import pathlib
import re

PAGES = ("docs/platforms.md", "docs/platforms.zh-CN.md")
TABLE = re.compile(r"(<!-- sizes: .*? -->\n)(.*?)(<!-- end of sizes -->)", re.DOTALL)
ROW = re.compile(r"^\| `([^`]+)` \|.*\|$")
# The shared library, the static one, and the command, by their names on Linux and on Windows.
FILES = (("libzvpos.so", "zvpos.dll"), ("libzvpos.a",), ("zv", "zv.exe"))


def size(folder, names):
    found = [folder / name for name in names if (folder / name).is_file()]
    return f"{found[0].stat().st_size / 1e6:.1f} MB" if found else None


def row(line):
    target = ROW.match(line)
    folder = pathlib.Path("target/shipped", target.group(1)) if target else None
    sizes = [size(folder, names) for names in FILES] if folder else [None]
    return line if None in sizes else f"| `{target.group(1)}` | {' | '.join(sizes)} |"


def main():
    for name in PAGES:
        page = pathlib.Path(name)
        text = page.read_text(encoding="utf-8")
        mark, table, end = TABLE.search(text).groups()
        rows = "".join(row(line) + "\n" for line in table.splitlines())
        page.write_text(text.replace(mark + table + end, mark + rows + end), encoding="utf-8")


main()
