"""Writes the pages of the site: the written ones of site/pages, and those made from the guide and the filters.

    python site/pages.py FOLDER

A line `<!-- guide: CHAPTER -->` in a written page includes a chapter of src/guide, and
`<!-- guide: CHAPTER: HEADING -->` includes one section of it. `<!-- shop -->` includes the block of shop.py that
makes data, and `<!-- filters -->` the list of the filters. The text of the guide is changed for the site: blocks
of Rust and links to items of the library are left out, and commands become blocks that scripts/test-site runs.
"""

import re
import shutil
import sys
from pathlib import Path
from textwrap import indent

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "src" / "guide"
FILTERS = ROOT / "bspm-core" / "src" / "filters"
WRITTEN = ROOT / "site" / "pages"
# The page of each chapter of the guide that is part of the site.
CHAPTERS = {
    "accuracy": "how-to/evaluation.md",
    "data": "how-to/data.md",
    "deployment": "how-to/deployment.md",
    "embedding": "how-to/new-users.md",
    "events": "how-to/events.md",
    "flags": "reference/flags.md",
    "items": "how-to/titles-and-rules.md",
    "python": "reference/python.md",
    "results": "results.md",
    "serving": "how-to/serving.md",
    "settings": "reference/settings.md",
    "tuning": "which-model.md",
}
# The files of the filters whose names differ from the names of the filters.
FILES = {
    "bspm": "bspm/config.rs",
    "mix": "registry/mix.rs",
    "neighbours": "registry/neighbours.rs",
}
LIST = (FILTERS.parent / "filters.rs").read_text()
# The names of the filters by their types in the library.
TYPES = {kind: name for name, kind in re.findall(r"^//! \| `([\w-]+)` \| \[`(\w+)`\] \|", LIST, flags=re.M)}
EXAMPLE = """\
## Example

In Python:

```python
import bspm

visits = [("ann", "tea"), ("ann", "milk"), ("bob", "milk"), ("bob", "rice"), ("cid", "rice"), ("cid", "jam")]
model = bspm.Model.fit(visits, "{name}")
print(model.recommend("ann", k=1).items)
```

With the tool:

```sh
printf 'user,item\\nann,tea\\nann,milk\\nbob,milk\\nbob,rice\\ncid,rice\\ncid,jam\\n' > visits.csv
bspm fit visits.csv --filter {name} -o visits.bspm
bspm recommend visits.bspm ann -k 1
```
"""


def without_rust(text):
    """Returns the text without blocks of Rust, which have no language."""
    lines, inside = [], None
    for line in text.splitlines():
        fence = re.match(r"```(\S*)", line)
        if inside is None and fence:
            inside = fence.group(1)
            if inside:
                lines.append(line)
        elif inside is not None:
            if inside:
                lines.append(line)
            if line == "```":
                inside = None
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def block(found):
    """Returns a block with the language of the site: formulas, commands, and the synopses of commands."""
    language, content = found.group(1), found.group(2)
    if language == "math":
        return f"\\[\n{content}\\]\n"
    if language == "text" and content.startswith("bspm "):
        # `bspm mcp` needs a feature that the program of the tests does not have.
        is_synopsis = re.search(r"\[OPTIONS\]|<\w+>|^bspm mcp ", content)
        return f"`{content.strip()}`\n" if is_synopsis else f"```sh\n{content}```\n"
    return found.group(0)


def link(found, page):
    """Returns a link to another page of the site, or the text of a link to an item of the library."""
    text, target = found.groups()
    up = "../" * page.count("/")
    if text.strip("`") in TYPES:
        name = TYPES[text.strip("`")]
        return f"[`{name}`]({up}filters/{name}.md)"
    chapter = re.fullmatch(r"crate::guide::(\w+)(#.*)?", target)
    if chapter and chapter.group(1) in CHAPTERS:
        return f"[{text}]({up}{CHAPTERS[chapter.group(1)]}{chapter.group(2) or ''})"
    return text if re.match(r"$|crate::|super::|Self::", target) else found.group(0)


def converted(text, page, level=1):
    """Returns text in the syntax of rustdoc as text of a page of the site, with headings `level` levels lower."""
    text = without_rust(text)
    text = re.sub(r"^```(\w+)\n(.*?)^```\n", block, text, flags=re.M | re.S)
    text = re.sub(r"`\$([^`$]+)\$`", r"\\(\1\\)", text)
    text = re.sub(r"(?<!!)\[([^\[\]]+)\]\(((?:\w+::|#|\w)[^()\s]*)\)", lambda found: link(found, page), text)
    text = re.sub(r"\[(`\w+`)\]()(?![(\[])", lambda found: link(found, page), text)
    return re.sub(r"^(#+ )", "#" * level + r"\1", text, flags=re.M)


def sections(text):
    """Returns the text above the first heading under the name Introduction, and each section under its heading."""
    parts = re.split(r"^# (.+)\n", text, flags=re.M)
    return {"Introduction": parts[0], **dict(zip(parts[1::2], parts[2::2]))}


def guide(found, page):
    """Returns the chapter or the section that a line of a written page includes."""
    chapter, heading = found.groups()
    text = (GUIDE / f"{chapter}.md").read_text()
    # The first line has the subject of the chapter, and the next paragraph its purpose.
    text = re.sub(r"\A(?!\s*#).*?\n\n(After this chapter.*?\n\n)?", "", text, flags=re.S)
    if heading is None:
        return converted(text, page)
    parts = sections(text)
    if heading not in parts:
        sys.exit(f"error: {page}: no section {heading!r} in src/guide/{chapter}.md; expected one of {list(parts)}")
    return converted(parts[heading].strip() + "\n", page)


def documentation(file):
    """Returns the documentation of the struct of a filter, with its table of settings."""
    lines, is_inside = [], False
    for line in file.read_text().splitlines():
        if line.startswith("/// ") or line == "///":
            lines.append(line[4:])
            is_inside = True
        elif included := re.match(r'#\[doc = include_str!\("(.*)"\)\]', line):
            lines.append((file.parent / included.group(1)).read_text())
        elif is_inside and line.startswith("pub struct"):
            if "# When to use it" in lines:
                return "\n".join(lines) + "\n"
            lines, is_inside = [], False
        elif is_inside and not line.startswith("#["):
            lines, is_inside = [], False
    sys.exit(f"error: {file.relative_to(ROOT)}: no documentation of a filter")


def filter_page(name, page):
    text = documentation(FILTERS / FILES.get(name, f"{name.replace('-', '_')}.rs"))
    first, _, rest = text.partition("# Examples\n")[0].partition("\n\n")
    symbols = "The other symbols are in the documentation of [`filters`](crate::filters)."
    rest = rest.replace(symbols, "[The list of the filters](index.md#symbols) has the other symbols.")
    return f"# {name}\n\n{converted(first, page)}\n{converted(rest, page)}{EXAMPLE.format(name=name)}"


def filter_index():
    """Returns the page with the list of the filters and the symbols."""
    text = "\n".join(re.findall(r"^//! ?(.*)", LIST, flags=re.M))
    table = re.sub(r"^\| `([\w-]+)` \| \[`\w+`\] \|", r"| [`\1`](\1.md) |", text, flags=re.M)
    table = table.replace("| name | type | filter |\n| --- | --- | --- |", "| name | filter |\n| --- | --- |")
    parts = sections(table)
    rows = "\n".join(line for line in parts["Introduction"].splitlines() if line.startswith("|"))
    return f"{rows}\n\n## Symbols\n\n{converted(parts['Symbols'].strip(), 'filters/index.md')}"


def shop(found):
    """Returns the block that makes the data of a page, closed unless the line asks for a visible block."""
    code = "```python\n" + (ROOT / "site" / "shop.py").read_text() + "```\n"
    if found.group(1):
        return code
    return '??? note "The data of this page: a generated shop"\n\n' + indent(code, "    ")


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(WRITTEN, out)
    for file in sorted(out.rglob("*.md")):
        page = file.relative_to(out).as_posix()
        text = file.read_text()
        text = re.sub(r"^<!-- guide: ([\w/]+)(?:: (.*?))? -->\n", lambda it: guide(it, page), text, flags=re.M)
        text = re.sub(r"^<!-- shop(: visible)? -->\n", shop, text, flags=re.M)
        file.write_text(text.replace("<!-- filters -->\n", filter_index()))
    for settings in sorted((FILTERS / "settings").glob("*.md")):
        page = f"filters/{settings.name}"
        (out / page).write_text(filter_page(settings.stem, page))
    shutil.copytree(GUIDE / "pictures", out / "how-to" / "pictures")
    shutil.copy(GUIDE / "reference" / "config.schema.json", out / "reference")


main(Path(sys.argv[1]))
