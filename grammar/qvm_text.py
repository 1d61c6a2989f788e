"""What QVM graphs and graph-style QWASM have in common: nodes as lines, instructions as nodes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from qwasmc.grammar.evaluator import Context, LineError, Literal, Node, Substitution, Template
from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.grammar.evaluator import Variable as Word
from qwasmc.grammar.instructions import (
    KEYWORDS,
    NAME,
    Builder,
    Instruction,
    Mnemonic,
    operand_name,
)
from qwasmc.grammar.qvm_guard import Guard, from_tree, text
from qwasmc.grammar.qvm_nodes import CHANNEL_OPS, OPCODES, GraphNode
from qwasmc.ir.program import Block

# ---------------------------------------------------------------- nodes as lines


def spoken(node: GraphNode) -> GraphNode:
    """What a line of text can say of a node."""
    return replace(
        node,
        id="" if node.id.lower() == "if" else node.id,
        inputs=node.inputs if node.op == "COND_PAULI" else (),
        chs=node.chs if node.op in CHANNEL_OPS else (),
    )


def line_of(node: GraphNode) -> str:
    """The line of text that says what can be said of a node."""
    node = spoken(node)
    operands, outputs = [*node.vqs], node.produces
    if node.op == "ALLOC_LQ":
        operands, outputs = [], node.vqs
    elif node.op == "OPEN_CHAN":
        outputs = node.chs
    else:
        operands += node.chs
    operands += [f"{key}={literal(value)}" for key, value in node.args.items()]
    if node.inputs:
        operands.append(f"inputs=[{', '.join(node.inputs)}]")
    line = f"{node.id}: {node.op}" if node.id else node.op
    if operands:
        line += f" {', '.join(operands)}"
    if outputs:
        line += f" -> {', '.join(outputs)}"
    if node.guard is not None:
        line += f" if {text(node.guard)}"
    if node.caps:
        line += f" [{', '.join(node.caps)}]"
    return line


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "{": "{{", "}": "}}"}
_ESCAPED = re.compile(r'[\\"\n\t{}]')


def literal(value: Constant) -> str:
    """A value as an expression."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, str):
        return '"' + _ESCAPED.sub(lambda match: _ESCAPES[match[0]], value) + '"'
    return repr(value)


# ---------------------------------------------------------------- instructions as nodes


class Capabilities(set[str]):
    """A set of capabilities that remembers their order."""

    def __init__(self) -> None:
        super().__init__()
        self.order: dict[str, None] = {}

    def update(self, *words: Sequence[str]) -> None:  # type: ignore[override]
        """Add capabilities."""
        for some in words:
            super().update(some)
            self.order.update(dict.fromkeys(some))


class Recorder(Builder):
    """Builds a program, and keeps the instructions as nodes."""

    def __init__(self, block: Block, context: Context, rows: Mapping[str, Mnemonic]) -> None:
        super().__init__(block, context, rows)
        self.declared: Capabilities = Capabilities()
        self.nodes: list[GraphNode] = []
        self.locs: list[int] = []
        """Where each was written."""

    def instruction(self, instruction: Instruction) -> None:
        """Append an instruction's operations, and its node."""
        op = instruction.name.upper()
        if op in self.rows and op not in OPCODES:
            self.spoil(None)
            help = "a graph has the operations of the graph style"
            raise instruction.fault(f"{op} has no form in a graph", "name", help=help)
        if instruction.predicate is not None:
            help = "write the condition at the end: if m==1"
            raise LineError("a predicate has no form in a graph", instruction.predicate, help=help)
        super().instruction(instruction)
        self.nodes.append(self._node(op, instruction))
        self.locs.append(instruction.loc)

    def _node(self, op: str, instruction: Instruction) -> GraphNode:
        if op not in OPCODES:
            raise instruction.fault(f"{op} has no form in a graph", "name")
        operands = list(instruction.operands)
        args = dict(instruction.named)
        node = GraphNode(op, caps=instruction.capabilities)
        if op == "ALLOC_LQ":
            node.vqs = instruction.outputs
            if operands:
                count = operands.pop()
                args.setdefault("n", int(count) if isinstance(count, str) else count)
        elif op == "OPEN_CHAN":
            node.chs = instruction.outputs
        else:
            node.produces = instruction.outputs
        if operands and self.takes_angle(op, len(operands)):
            args["theta"] = operands.pop()
        if op == "COND_PAULI":
            node.inputs = self._inputs(operands, args.pop("inputs", []), instruction)
        names = [operand_name(instruction, index) for index in range(len(operands))]
        self._add_operands(node, names, instruction)
        node.args = _checked(args, instruction)
        if instruction.guard is not None:
            node.guard = self._guard_of(instruction.guard)
        return node

    def _inputs(
        self, operands: list[Constant], given: Constant, instruction: Instruction
    ) -> list[str]:
        """The bits of a COND_PAULI: an argument, or operands after the qubits."""
        words = given.split(",") if isinstance(given, str) else given
        names = [str(word).strip() for word in words] if isinstance(words, list) else []
        while len(operands) > 1 and operand_name(instruction, len(operands) - 1) in self.bits:
            names.append(str(operands.pop()))
        return [self._bit_name(name) for name in names]

    def _bit_name(self, name: str) -> str:
        return name if name in self.bits else name.lower()

    def _add_operands(self, node: GraphNode, names: list[str], instruction: Instruction) -> None:
        for index, name in enumerate(names):
            if not NAME.fullmatch(name):
                message = f"'{name:.60}' is not a name of a qubit in a graph"
                raise instruction.fault(message, "operand", index)
        split = len(names)
        if node.op in CHANNEL_OPS and node.op != "OPEN_CHAN":
            split -= 1
            node.chs = names[split:]
        node.vqs = node.vqs or names[:split]

    def _guard_of(self, tree: Node) -> Guard:
        return from_tree(tree, self._name_or_number)

    def _name_or_number(self, node: Node) -> str | int:
        """A side of a comparison in an accepted guard."""
        if isinstance(node, Word):
            found = None if node.name in self.bits else self.context.find(node.name)
            value: Constant = found if isinstance(found, int) else node.name
        else:
            assert isinstance(node, (Literal, Substitution, Template))
            value = node.evaluate(self.context)
        if isinstance(value, str):
            return self._bit_name(value)
        assert isinstance(value, int)
        return int(value)


def _checked(args: Mapping[str, Constant], instruction: Instruction) -> dict[str, Constant]:
    """Arguments that a graph can have."""
    for key, value in args.items():
        if key.lower() in KEYWORDS or key == "inputs":
            raise instruction.fault(f"'{key}' cannot be an argument in a graph", key)
        if not _is_finite(value):
            raise instruction.fault("a graph has finite numbers only", key)
    return dict(args)


def _is_finite(value: Constant) -> bool:
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
