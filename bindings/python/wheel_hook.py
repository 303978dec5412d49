"""Puts the library into the wheel and names the wheel after what that file runs on.

    ZVPOS_LIBRARY=$PWD/target/release/libzvpos.so pip wheel --no-deps bindings/python

The tag is read from the file itself, so that a wheel cannot promise more than its library keeps.
"""

import os
import re
import struct
from pathlib import Path
from typing import Any, Dict

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# e_machine of ELF with its word size, Machine of PE.
ELF_MACHINES = {(62, 2): "x86_64", (3, 1): "i686", (183, 2): "aarch64", (40, 1): "armv7l"}
PE_MACHINES = {0x8664: "win_amd64", 0x014C: "win32", 0xAA64: "win_arm64"}


def platform_tag(library: bytes) -> str:
    """The tag of a library file, such as `manylinux_2_17_x86_64` or `win32`."""
    if library[:4] == b"\x7fELF":
        (number,) = struct.unpack_from("<H", library, 18)
        machine = ELF_MACHINES[(number, library[4])]
        glibc = [(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", library)]
        if not glibc:
            return f"musllinux_1_2_{machine}"
        major, minor = max(glibc)
        return f"manylinux_{major}_{minor}_{machine}"
    if library[:2] == b"MZ":
        (header,) = struct.unpack_from("<I", library, 0x3C)
        (number,) = struct.unpack_from("<H", library, header + 4)
        return PE_MACHINES[number]
    raise ValueError("neither an ELF nor a PE file")


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version: str, build_data: Dict[str, Any]) -> None:
        named = os.environ.get("ZVPOS_LIBRARY")
        if not named:
            raise RuntimeError("ZVPOS_LIBRARY must name the library that goes into the wheel")
        library = Path(named).resolve(strict=True)
        build_data["force_include"][str(library)] = "zvpos/" + library.name
        licence = Path(self.root).parent.parent / "LICENSE"
        build_data["force_include"][str(licence)] = "zvpos/LICENSE"
        build_data["tag"] = "py3-none-" + platform_tag(library.read_bytes())
        build_data["pure_python"] = False
