"""What keeps the house in order: import arrows, light import, docstrings, sizes, nothing of the builder's machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import stance

ROOT = Path(__file__).parents[1]


def room(path: Path) -> str:
    """Name a module within the package: ``metrics``, ``formats.dse``; a package is named by its folder."""
    parts = path.relative_to(ROOT / "stance").with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


LIBRARY = {room(path): path for path in sorted((ROOT / "stance").rglob("*.py"))}
MODULES = [
    *LIBRARY.values(),
    *(path for room in ("training", "benchmarks") for path in sorted((ROOT / room).glob("*.py"))),
]
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
NAMES = [str(path.relative_to(ROOT)) for path in MODULES]

# Who may import whom. An arrow that is not here is a decision: make it here, and see that it goes against the data.
ARROWS = {
    "errors": "",
    "labels": "errors",
    "sentences": "",
    "spelling": "",
    "offices": "errors",
    "actors": "errors offices spelling",
    "unlisted": "spelling",
    "names": "actors spelling unlisted",
    "targets": "actors errors names sentences spelling tagged",
    "tagged": "actors names sentences spelling",
    "pairs": "errors sentences targets",
    "excerpts": "errors labels pairs sentences targets",
    "tagging": "sentences",
    "packing": "pairs targets",
    "folder": "errors labels packing",
    "scoring": "folder labels packing pairs sentences targets tagging",
    "metrics": "labels scoring",
    "bootstrap": "errors metrics",
    "reliability": "metrics",
    "slices": "excerpts metrics pairs targets",
    "sections": "bootstrap metrics reliability slices",
    "tables": "",
    "layout": "reliability sections tables",
    "comparison": "bootstrap errors metrics sections tables",
    "judgements": "errors excerpts labels pairs predictions targets",
    "formats.spans": "errors targets",
    "formats.rows": "errors excerpts formats.spans targets",
    "formats.plv": "errors excerpts formats.rows labels pairs targets",
    "formats.dse": "errors excerpts formats.rows formats.spans labels",
    "formats.newsmtsc": "errors excerpts formats.rows labels pairs targets",
    "formats.re3d": "errors excerpts formats.rows formats.spans labels sentences targets",
    "formats.unscon": "errors excerpts formats.rows formats.spans labels pairs targets",
    "formats": "excerpts formats.dse formats.newsmtsc formats.plv formats.re3d formats.unscon",
    "protocols": "errors formats.dse formats.newsmtsc formats.plv labels metrics predictions scoring sections",
    "krippendorff": "errors metrics",
    "adjudication": "excerpts labels pairs targets",
    "agreement": "adjudication bootstrap errors excerpts krippendorff labels metrics",
    "cores": "",
    "model": "cores errors folder labels packing scoring tagging",
    "runtime": "cores errors folder labels packing scoring",
    "loading": "errors folder model runtime scoring",
    "verbs": "labels",
    "rewriting": "excerpts labels pairs sentences targets",
    "negation": "excerpts labels pairs rewriting targets verbs",
    "swaps": "actors excerpts pairs rewriting sentences targets",
    "counterfactuals": "excerpts labels negation pairs rewriting swaps targets",
    "audit": "adjudication bootstrap counterfactuals errors excerpts labels metrics pairs predictions rewriting",
    "highlights": "labels sentences",
    "discourse": "actors spelling targets unlisted",
    "antecedents": "actors discourse spelling targets",
    "resolution": "actors antecedents discourse sentences spelling targets",
    "overview": "labels pairs sentences targets",
    "predictions": "errors highlights labels overview pairs resolution sentences targets",
    "drafts": "actors pairs resolution scoring sentences targets",
    "classifier": "actors drafts errors folder labels loading pairs predictions resolution scoring sentences targets",
    "report": "bootstrap comparison errors excerpts judgements labels layout metrics pairs predictions protocols "
    "sections slices tables",
    "evaluation": "classifier errors excerpts formats labels metrics predictions protocols report sentences",
    "__init__": "actors agreement audit classifier comparison errors evaluation excerpts judgements labels overview "
    "pairs predictions report resolution sentences targets",
    "writing": "errors labels overview predictions sentences",
    "cli": "__init__ actors adjudication agreement audit classifier counterfactuals errors evaluation excerpts folder "
    "formats judgements predictions targets writing",
}

# Packages that take a second or more to import, and the rooms that may load them when they are imported themselves.
HEAVY = {"torch", "transformers", "pandas", "sklearn", "onnxruntime", "huggingface_hub", "datasets", "accelerate"}
LOADS = {"model": {"torch", "transformers"}, "runtime": {"onnxruntime"}}

MODULE_LINES, FUNCTION_LINES = 350, 45


def imported(tree: ast.AST) -> Iterator[str]:
    """List every imported module, from wherever in the tree, with the names taken out of packages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the arrows"
            yield str(node.module)


def at_import(tree: ast.Module) -> Iterator[str]:
    """List what is imported when the module is, which is neither in a function nor for type checkers only."""
    for node in tree.body:
        guarded = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not guarded and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from imported(node)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("name", LIBRARY)
def test_imports_follow_the_arrows(name: str) -> None:
    assert name in ARROWS, f"stance/{name}.py is a new room: draw its arrows in ARROWS"
    modules = [module.partition(".") for module in imported(TREES[LIBRARY[name]])]
    drawn = {rest or "__init__" for package, _, rest in modules if package == "stance"}
    assert drawn <= set(ARROWS[name].split())


def test_arrows_make_no_cycle() -> None:
    TopologicalSorter({name: heads.split() for name, heads in ARROWS.items()}).prepare()


@pytest.mark.parametrize("name", LIBRARY)
def test_library_never_imports_the_workshop(name: str) -> None:
    assert not {"training", "benchmarks", "tests"} & {module.split(".")[0] for module in imported(TREES[LIBRARY[name]])}


@pytest.mark.parametrize("name", sorted(LIBRARY.keys() - {"cli"}))
def test_library_never_prints(name: str) -> None:
    calls = [node.func for node in ast.walk(TREES[LIBRARY[name]]) if isinstance(node, ast.Call)]
    assert "print" not in {ast.unparse(f) for f in calls}


@pytest.mark.parametrize("name", LIBRARY)
def test_heavy_packages_load_only_in_their_rooms(name: str) -> None:
    loaded = {module.split(".")[0] for module in at_import(TREES[LIBRARY[name]])} & HEAVY
    assert loaded <= LOADS.get(name, set())


def test_import_of_the_library_is_light() -> None:
    code = f"import sys, stance; print(*sorted(sys.modules.keys() & {HEAVY!r}))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert (done.stdout, done.stderr) == ("\n", "")


def test_front_door_lists_what_it_opens_to_in_order() -> None:
    tree = TREES[LIBRARY["__init__"]]
    opened = [a.asname or a.name for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names]
    assert set(stance.__all__) == set(opened)
    assert all(hasattr(stance, name) for name in stance.__all__)
    constants_then_classes = sorted(stance.__all__, key=lambda n: (not n.isupper(), n[0].islower(), n))
    assert stance.__all__ == constants_then_classes


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_every_module_and_public_name_has_a_docstring(path: Path) -> None:
    tree = TREES[path]
    public: dict[str, ast.Module | ast.FunctionDef | ast.ClassDef] = {} if path.name == "__init__.py" else {"": tree}
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")]
    parents: list[ast.Module | ast.ClassDef] = [tree, *classes]
    for parent in parents:
        for node in parent.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                public[f"{getattr(parent, 'name', '')}.{node.name}"] = node
    assert [name for name, node in public.items() if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_modules_and_functions_stay_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines < MODULE_LINES
    lengths = {f.name: (f.end_lineno or 0) - f.lineno + 1 for f in functions(TREES[path])}
    assert {name: n for name, n in lengths.items() if n >= FUNCTION_LINES} == {}


def tracked() -> list[Path]:
    """List the files that are, or would be, committed."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout: what the repository holds was NOT checked")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_repository_holds_no_path_of_a_machine_and_no_private_registry() -> None:
    homes = "|".join(["work", "root", "home", "Users"])
    options = "|".join("-".join(words) for words in (("index", "url"), ("find", "links"), ("trusted", "host")))
    patterns = [
        rf"(?<![\w.:/-])/(?:{homes})/[\w.]+",
        rf"{options}|file:/{{3}}",
        r"https?:/{2}(?:localhost|[\d.]+|[\w-]+|[\w.-]+\.(?:internal|local|corp|lan))(?::\d+)?/",
    ]
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked()
        for pattern in patterns
        for match in re.finditer(pattern.encode(), path.read_bytes())
    ]
    assert found == []


def test_no_committed_file_is_a_pickle() -> None:
    suffixes = {path.suffix for path in tracked()}
    assert not suffixes & {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".npy"}
