"""Keeps of an abidw XML (standard input) the functions of the interface and the types that they reach.

The whole file describes every type of every dependency, 2 MB that change each week; what a till depends on is
these few lines. Standard output can be given to abidiff.
"""

import sys
import xml.etree.ElementTree as xml

# abidw's own names for places where a type is referred to.
REFERENCES = ("type-id", "naming-typedef-id", "def-of-decl-id")


def reached(element):
    """The ids that an element and what is in it refer to."""
    for part in element.iter():
        for name in REFERENCES:
            if name in part.attrib:
                yield part.attrib[name]


def main():
    corpus = xml.parse(sys.stdin.buffer).getroot()
    types = {part.attrib["id"]: part for part in corpus.iter() if "id" in part.attrib}
    functions = [part for part in corpus.iter("function-decl") if "elf-symbol-id" in part.attrib]
    functions = sorted((part for part in functions if part.attrib["name"].startswith("zv")),
                       key=lambda part: part.attrib["name"])
    kept, waiting = {}, [name for function in functions for name in reached(function)]
    while waiting:
        name = waiting.pop(0)
        if name not in kept and name in types:
            kept[name] = types[name]
            waiting.extend(reached(types[name]))
    for unit in corpus.findall("abi-instr"):
        corpus.remove(unit)
    unit = xml.SubElement(corpus, "abi-instr", {"address-size": "64", "path": "zvpos", "language": "LANG_C99"})
    unit.extend([kept[name] for name in kept])
    unit.extend(functions)
    named = (part.attrib["id"] for part in unit.iter() if "id" in part.attrib)
    numbers = {name: f"type-id-{number}" for number, name in enumerate(named, 1)}
    for part in unit.iter():
        for name in ("id", *REFERENCES):
            if name in part.attrib:
                part.attrib[name] = numbers.get(part.attrib[name], part.attrib[name])
    xml.indent(corpus)
    print(xml.tostring(corpus, encoding="unicode"))


main()
