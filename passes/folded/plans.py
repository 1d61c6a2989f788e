"""What is known about the functions of a program before it is run folded."""

from __future__ import annotations

from collections.abc import Mapping

from qwasmc.ir.program import Function, Value
from qwasmc.passes.dominance import immediate_dominators
from qwasmc.passes.flow import Loop, Plan

SMALL = 256
"""Operations of a function without loops, calls included, that becomes part of its callers."""


class FoldedPlan(Plan):
    """The plan of a function, with where branches meet again and what leaves loops."""

    def __init__(self, function: Function) -> None:
        super().__init__(function)
        self.meeting = self._meetings()
        """By place: the first block on all ways from here to the end, perhaps the exit."""
        self.leaving: dict[Loop, list[Value]] = {}
        """By loop: values that are defined in it and used behind it."""
        for innermost in dict.fromkeys(self.loops):
            loop = innermost
            while loop is not None and loop not in self.leaving:
                self.leaving[loop] = self._leaving(loop)
                loop = loop.parent
        ops = [op for block in self.blocks for op in block.ops]
        names = {"begun": "rev_begin", "undone": "uncompute"}
        found = {
            what: {str((op.attrs or {})["name"]) for op in ops if op.name == name}
            for what, name in names.items()
        }
        self.whole = any(op.spec.is_marker for op in ops)
        """Whether segments or control regions make one region of all it does."""
        self.torn = not found["undone"] <= found["begun"] or _unbalanced(self)
        """Whether a segment or control region goes on in other functions."""

    def _meetings(self) -> list[int]:
        exit = self.exit
        ways: list[list[int]] = [[] for _ in range(exit + 1)]
        for place, block in enumerate(self.blocks):
            for after in self.successors[place]:
                ways[exit - after].append(exit - place)
            if block.ops[-1].name in ("return", "halt"):
                ways[0].append(exit - place)
        above = immediate_dominators(ways)
        return [exit - above.get(exit - place, 0) for place in range(exit)]

    def _leaving(self, loop: Loop) -> list[Value]:
        inside = {value for place in range(loop.head, loop.end) for value, _ in self.gives[place]}
        used: dict[Value, None] = {}
        for place in range(self.exit):
            if not self.inside(loop, place):
                used.update((value, None) for value, _ in self.takes[place] if value in inside)
        return list(used)


def _unbalanced(plan: Plan) -> bool:
    """Whether a function begins regions that it does not end, or the other way round."""
    ops = [op for block in plan.blocks for op in block.ops]
    pairs = (("rev_begin", "rev_end"), ("ctrl_begin", "ctrl_end"))
    return any(
        sum(op.name == begin for op in ops) != sum(op.name == end for op in ops)
        for begin, end in pairs
    )


def small_functions(plans: Mapping[str, FoldedPlan]) -> set[str]:
    """The functions that become part of their callers: few operations, no loops, no recursion."""
    sizes: dict[str, int] = {}
    stack = [(name, False) for name in plans]
    entered: set[str] = set()
    while stack:
        name, done = stack.pop()
        callees = _callees(plans[name])
        if done:
            size = sum(len(block.ops) for block in plans[name].blocks)
            sizes[name] = size + sum(sizes.get(callee, SMALL) for callee in callees)
        elif name not in entered:
            entered.add(name)
            stack.append((name, True))
            stack += [(callee, False) for callee in callees]
    return {name for name, plan in plans.items() if sizes[name] <= SMALL and not any(plan.loops)}


def _callees(plan: FoldedPlan) -> list[str]:
    ops = [plan.blocks[place].ops[at] for place in range(plan.exit) for at in plan.calls[place]]
    return [str((op.attrs or {})["callee"]) for op in ops]
