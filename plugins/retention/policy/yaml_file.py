"""What does a YAML file say, and on which line? Stricter than YAML: nothing said twice, no aliases, nothing endless."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from retention.policy.shape import Place, PolicyError

MOST_BYTES = 1_000_000
DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a file, and where each part of it stands."""

    file: str
    data: Any
    root: yaml.Node | None

    def line(self, place: Place) -> int:
        """The line of a part; of the nearest part around it where it is not there."""
        node = self.root
        line = node.start_mark.line + 1 if node else 1
        for part in place:
            if isinstance(node, yaml.MappingNode):
                pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
                if pair is None:
                    break
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                break
        return line


def read(path: Path) -> Document:
    """Read a file; whatever YAML would silently let pass is an error that names its line."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PolicyError(f"{path.name}: cannot be read: {error.strerror}") from error
    if len(raw) > MOST_BYTES:
        raise PolicyError(f"{path.name}: is larger than {MOST_BYTES} bytes; a policy is written by people: shorten it")
    try:
        text = raw.decode("utf-8")
        _refuse_aliases_and_depth(path.name, text)
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        _refuse_repetition(path.name, root)
        data = loader.construct_document(root) if root else None
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path.name}: is not UTF-8: save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "cannot be understood"
        raise PolicyError(f"{path.name}:{line}: is not valid YAML: {problem}") from error
    except ValueError as error:
        raise PolicyError(f"{path.name}:1: is not valid YAML: a date or number that does not exist") from error
    return Document(path.name, data, root)


def _refuse_aliases_and_depth(file: str, text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise PolicyError(f"{file}:{line}: anchors and aliases are refused: write it out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise PolicyError(f"{file}:{line}: is nested deeper than {DEEPEST}: flatten it")


def _refuse_repetition(file: str, node: yaml.Node | None) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value == "<<":
                raise PolicyError(f"{file}:{line}: merging by '<<' is refused: write it out")
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                says = f"{key.value}: is said twice, first on line {seen[key.value]}: remove one"
                raise PolicyError(f"{file}:{line}: {says}")
            if isinstance(key, yaml.ScalarNode):
                seen[key.value] = line
            _refuse_repetition(file, value)
    elif isinstance(node, yaml.SequenceNode):
        for member in node.value:
            _refuse_repetition(file, member)
