"""How the package is built: what imports what, and that a name is in one module alone."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"

ROOMS: dict[str, tuple[str, ...]] = {
    "core": (
        *("base32", "codes", "errors", "header_names", "log", "names", "policies", "profile", "profile_rules"),
        *(
            "roster",
            "seeds",
            "extras",
            "places",
            "secret_strings",
            "structured",
            "text",
            "tokens",
            "proof",
            "followed_file",
        ),
        # An error of clients, and where keys and credentials may go: both sides say so.
        *("client_errors", "origins"),
    ),
    "state": ("state",),
    "server file": ("server_file", "server_file_rules", "server_file_text"),
    "scheme": ("scheme",),
    "server": (
        *("callers", "guards", "asgi", "grpc.guard", "grpc.content", "grpc.ending"),
        *("a2a.context_builder", "a2a.peers", "crewai.server"),
    ),
    "client": (
        *("client", "client_file", "client_variables", "client_warnings", "clocks", "credentials", "repeats"),
        *("client_agents", "sending", "steps", "httpx", "httpx_watch"),
        *("grpc.calls", "grpc.client", "grpc.client_sync", "a2a.card_places", "a2a.interceptor", "crewai.client"),
    ),
    # What imports of both sides alone, when it is asked for a name.
    "doors": ("", "a2a", "grpc", "crewai"),
}
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "core": ("core",),
    "state": ("core", "state"),
    "server file": ("core", "server file"),
    "scheme": ("core", "state", "server file", "scheme"),
    "server": ("core", "state", "server file", "scheme", "server"),
    "client": ("core", "client"),
    "doors": tuple(ROOMS),
}


def name_of(path: Path) -> str:
    """Such as `scheme.request`; that of a package without `__init__`, and empty for the package itself."""
    parts = path.relative_to(SOURCE / "a2a_totp").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(path): ast.parse(path.read_text()) for path in (SOURCE / "a2a_totp").rglob("*.py")}


def room_of(module: str) -> str:
    """By the whole name, else by that of the folder."""
    for wanted in (module, module.partition(".")[0]):
        for room, members in ROOMS.items():
            if wanted in members and (wanted == module or room != "doors"):
                return room
    raise AssertionError(f"{module} is in no room")


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Modules of the package, wherever they are imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "a2a_totp":
            yield (node.module or "").partition(".")[2]


def names_of(tree: ast.Module) -> Iterable[str]:
    """All that a module defines at its top level."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        yield from (target.id for target in targets if isinstance(target, ast.Name))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_one_way(module: str) -> None:
    """Core, state, scheme, doors; and no client needs the server's side."""
    room = room_of(module)
    for imported in imports_of(MODULES[module]):
        assert room_of(imported) in MAY_IMPORT[room], f"{module} ({room}) imports {imported}"


def test_no_import_runs_in_a_circle() -> None:
    """Those for type checkers and those inside of functions too."""
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for imported in imports_of(MODULES[module]):
                visit(imported, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_a_name_is_in_one_module_alone() -> None:
    """So that modules can be put into one file. crewAI's own shape of both sides has the names of ours."""
    homes: dict[str, str] = {}
    for module, tree in MODULES.items():
        if module in ROOMS["doors"]:
            continue
        for name in set(names_of(tree)) - {"__all__", "__getattr__"}:
            if name in ("TOTPClientAuthScheme", "TOTPServerAuthScheme") and module.startswith("crewai."):
                continue
            assert name not in homes, f"{name} is in {homes[name]} and in {module}"
            homes[name] = module


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_are_imported_by_name(module: str) -> None:
    """Never relatively, nor as a whole, which the generator of one file would not understand."""
    for node in ast.walk(MODULES[module]):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{module}, line {node.lineno}"
        if isinstance(node, ast.Import):
            assert not any(one.name.startswith("a2a_totp") for one in node.names), f"{module}, line {node.lineno}"
