"""Circuit-level noise: noiseless Stim text in, the same text with errors out.

    R 0                    R 0
    RX 1                   X_ERROR(0.001) 0
    TICK                   RX 1
    CX 1 0                 Z_ERROR(0.001) 1
    TICK                   DEPOLARIZE1(0.001) 2
    M 0             ->     TICK
    H 2                    CX 1 0
                           DEPOLARIZE2(0.001) 1 0
                           DEPOLARIZE1(0.001) 2
                           TICK
                           M(0.001) 0
                           H 2
                           DEPOLARIZE1(0.001) 2
                           DEPOLARIZE1(0.001) 1

Text to text, because Stim's own objects take many times longer than the text that they come from
and end in.  A program has few different lines (those of a patch come again in every slab), so each
is understood once.

A *layer* is what stands between two TICKs.  The noise of an operation follows it at once; that
of the qubits a layer leaves alone closes the layer.  Annotations, tags and REPEAT blocks stay.
`noise_models` says what follows what.

Operations tagged `port` inject a magic state whose preparation is accounted for elsewhere.  The
qubits they act on are free of noise for that layer, and so is a gate that another qubit shares
with them; one that waits is named by `I[port]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np
import stim
from numpy.typing import NDArray

from qwasmc.backends.stim.lines import (
    ANNOTATIONS,
    QUBIT,
    circuit_lines,
    end_of_loop,
    is_operation,
    line_parts,
    shortened,
    target_groups,
)
from qwasmc.backends.stim.noise_models import (
    NoiseError,
    NoiseModel,
    Rule,
    channel_text,
    pauli_text,
    rule_of,
)
from qwasmc.target import GateBased

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

PORT_TAG = "port"
"""Tag of the operations of a noise-free injection port."""

_INDENT = "    "
_MAX_REMEMBERED = 1 << 25
"""Most characters of the lines whose meaning is remembered."""

_MAX_IDLE = 32
"""Layers whose idle qubits are remembered: those of a round come again in its slab."""


def apply_noise(
    circuit: stim.Circuit, model: NoiseModel, *, noisy_ports: bool = False
) -> stim.Circuit:
    """`circuit` under `model`, in time linear in its text (REPEAT blocks stay folded).

    Raises `NoiseError` if the circuit holds noise already or an operation without a rule.
    """
    noiser = Noiser(model, circuit_qubits(circuit), noisy_ports=noisy_ports)
    return stim.Circuit(noiser.text("\n".join(circuit_lines(circuit))))


def circuit_qubits(circuit: stim.Circuit) -> set[int]:
    """The qubits that operations name; coordinates alone do not make a qubit."""
    named: set[int] = set()
    for line in circuit_lines(circuit):
        if is_operation(line):
            _, _, _, targets = line_parts(line)
            named.update(int(name) for group in target_groups(targets, 1) for name in group.qubits)
    return named


class Noiser:
    """Adds noise to a circuit that arrives in fragments cut at layer boundaries.

    The fragments' results, put together, are the noise of the whole circuit.  `qubits` are all
    qubits of the whole circuit: a layer must know who idles in it.  With `noisy_ports`, the
    `port` tag means nothing, and a qubit named by `I[port]` waits.
    """

    def __init__(
        self, model: NoiseModel, qubits: Iterable[int], *, noisy_ports: bool = False
    ) -> None:
        self._model = model
        self._noisy_ports = noisy_ports
        self._names = np.array([str(qubit) for qubit in sorted(qubits)], dtype=object)
        self._position = {name: at for at, name in enumerate(self._names)}
        self._operations: dict[str, _Operation] = {}
        self._remembered = 0
        """Characters of the keys of `_operations`."""
        self._idle = channel_text("DEPOLARIZE1", model.idle)
        self._resonator_idle = channel_text("DEPOLARIZE1", model.resonator_idle)
        self._others = lru_cache(maxsize=_MAX_IDLE)(self._spell_others)

    def text(self, circuit: str) -> str:
        """The noisy form of whole layers: `circuit` starts and ends where a TICK stands.

        It is Stim's text with an instruction on each line, without aliases and comments.
        """
        if self._model == NoiseModel():
            return circuit
        lines = [line for indented in circuit.split("\n") if (line := indented.strip())]
        out, open_layer = self._body(lines, self._new_layer())
        self._close(open_layer, out)
        return "\n".join([*out, ""])

    def _new_layer(self) -> _Layer:
        touched, collapsed, ports = np.zeros((3, len(self._names)), dtype=np.bool_)
        return _Layer(touched, collapsed, ports, np.zeros(len(self._names)))

    def _body(self, lines: Sequence[str], before: _Layer) -> tuple[list[str], _Layer]:
        """The noisy form of a loop body or fragment that starts inside the layer `before`.

        Also returns the layer that is open at its end, for the code behind it to close.
        """
        out: list[str] = []
        layer = before.copy()
        steps: list[str] = []
        at = 0
        while at < len(lines):
            line = lines[at]
            at += 1
            if not line.startswith(("TICK", "REPEAT")):
                steps.append(line)
                continue
            self._add(steps, layer, out)
            if line.startswith("TICK"):
                self._close(layer, out)
                layer = self._new_layer()
                out.append(line)
            else:
                end = end_of_loop(lines, at)
                layer = self._repeat(line, lines[at:end], layer, out)
                at = end + 1
        self._add(steps, layer, out)
        return out, layer

    def _repeat(self, head: str, body: Sequence[str], before: _Layer, out: list[str]) -> _Layer:
        """Append the noisy loop to `out`; returns the layer that is open at its end.

        The layer that the body's first TICK closes began before the loop in the first pass and
        at the end of the body in later ones.  Where these differ, the first pass is peeled off.
        """
        name, times, brace = head.rsplit(" ", 2)
        count = int(times)
        first, layer = self._body(body, before)
        if count > 1 and not layer.equals(before):
            later, layer = self._body(body, layer)
            if later != first:
                out += first
                first, count = later, count - 1
        out.append(f"{name} {count} {brace}")
        out += [_INDENT + line for line in first]
        out.append("}")
        return layer

    def _operation(self, line: str) -> _Operation:
        """What a line means."""
        known = self._operations.get(line)
        if known is None:
            known = self._understand(line)
            self._remembered += len(line)
            if self._remembered > _MAX_REMEMBERED:
                self._operations.clear()
                self._remembered = len(line)
            self._operations[line] = known
        return known

    def _understand(self, line: str) -> _Operation:
        name, tag, arguments, targets = line_parts(line)
        rule = rule_of(self._model, name)
        if rule is None:
            raise NoiseError(f"no noise rule for '{shortened(line)}'")
        if arguments:
            raise NoiseError(f"the circuit is noisy already: '{shortened(line)}'")
        quantum = "[" not in targets
        if quantum:
            names = QUBIT.findall(targets)
        else:
            names = [name for group in target_groups(targets, rule.width) for name in group.qubits]
        is_port = tag == f"[{PORT_TAG}]" and not self._noisy_ports
        return _Operation(name + tag, targets, rule, self._positions(names), quantum, is_port)

    def _positions(self, names: list[str]) -> NDArray[np.int32]:
        """Where qubits stand among all."""
        unknown = {name for name in names if name not in self._position}
        if unknown:
            raise NoiseError(f"qubits not declared to the noiser: {', '.join(sorted(unknown))}")
        return np.array([self._position[name] for name in names], dtype=np.int32)

    def _add(self, lines: list[str], layer: _Layer, out: list[str]) -> None:
        """Append `lines`, all of one layer, with their own noise; empties `lines`."""
        notes = (*ANNOTATIONS, f"I[{PORT_TAG}]") if self._noisy_ports else ANNOTATIONS
        steps = [None if line.startswith(notes) else self._operation(line) for line in lines]
        self._mark([step for step in steps if step is not None], layer)
        run: list[_Operation] = []
        for line, step in zip(lines, steps, strict=True):
            if run and (step is None or step.head != run[0].head):
                self._append(run, layer, out)
                run = []
            if step is None:
                out.append(line)
            else:
                run.append(step)
        if run:
            self._append(run, layer, out)
        lines.clear()

    def _mark(self, operations: list[_Operation], layer: _Layer) -> None:
        """Let a layer know what operations do to their qubits."""
        begun = bool(layer.touched.any())
        for operation in operations:
            layer.touched[operation.qubits] = True
            layer.busy[operation.qubits] += operation.rule.time
            if operation.rule.collapses:
                layer.collapsed[operation.qubits] = True
            if operation.is_port:
                layer.ports[operation.qubits] = layer.has_ports = True
        if begun and operations and layer.has_ports:
            raise NoiseError("a layer with port operations crosses the edge of a REPEAT block")

    def _append(self, run: list[_Operation], layer: _Layer, out: list[str]) -> None:
        """Append operations of one name and tag as one instruction, with their own noise."""
        head, rule = run[0].head, run[0].rule
        targets = " ".join(operation.targets for operation in run)
        if run[0].is_port:
            out.append(f"{head} {targets}")
            return
        if not all(operation.quantum for operation in run) or any(
            layer.ports[operation.qubits].any() for operation in run if layer.has_ports
        ):
            targets = self._append_by_group(head, rule, targets, layer, out)
        else:
            out.append(f"{head}{rule.flip if targets else ''} {targets}")
        if rule.after and targets:
            out.append(f"{rule.after} {targets.replace('!', '')}")

    def _append_by_group(
        self, head: str, rule: Rule, targets: str, layer: _Layer, out: list[str]
    ) -> str:
        """Append an instruction some of whose targets may be ports or classical bits.

        Returns the targets that its noise is to follow on.
        """
        groups = list(target_groups(targets, rule.width))
        quiet = [bool(layer.ports[self._positions(group.qubits)].any()) for group in groups]
        # Measurements keep their order, so the step is cut where quiet targets begin or end.
        for still, run in groupby(zip(quiet, groups, strict=True), lambda pair: pair[0]):
            some = " ".join(group.text for _, group in run)
            out.append(f"{head}{'' if still else rule.flip} {some}")
        return " ".join(
            group.text
            for still, group in zip(quiet, groups, strict=True)
            if group.quantum and not still
        )

    def _close(self, layer: _Layer, out: list[str]) -> None:
        """Append the noise of the qubits that the finished `layer` left waiting."""
        if self._model.timed is not None:
            self._wait(self._model.timed, layer, out)
        if layer.touched.any():
            self._depolarize(self._idle, layer.touched, out)
        if layer.collapsed.any():
            self._depolarize(self._resonator_idle, layer.collapsed | layer.ports, out)

    def _wait(self, qubit: GateBased, layer: _Layer, out: list[str]) -> None:
        """Append the errors of qubits for the time that they wait for others."""
        waits = layer.busy.max(initial=0.0) - layer.busy
        waits[layer.ports] = 0.0
        for wait in np.unique(waits[waits > 0]).tolist():
            channel = pauli_text(*qubit.idle_errors(wait))
            self._depolarize(channel, waits != wait, out)

    def _depolarize(self, channel: str, spared: Bools, out: list[str]) -> None:
        if channel and not spared.all():
            out.append(f"{channel} {self._others(spared.tobytes())}")

    def _spell_others(self, spared: bytes) -> str:
        """The qubits of a complement as targets."""
        return " ".join(self._names[~np.frombuffer(spared, dtype=np.bool_)].tolist())


@dataclass(slots=True)
class _Layer:
    """What an unfinished layer has done so far, qubit by qubit."""

    touched: Bools
    collapsed: Bools
    ports: Bools
    busy: Floats
    """For how many ns; 0 if the model has no times."""
    has_ports: bool = False

    def copy(self) -> _Layer:
        touched, collapsed, ports, busy = self._arrays
        return _Layer(touched.copy(), collapsed.copy(), ports.copy(), busy.copy(), self.has_ports)

    def equals(self, other: _Layer) -> bool:
        return all(map(np.array_equal, self._arrays, other._arrays))

    @property
    def _arrays(self) -> tuple[Bools, Bools, Bools, Floats]:
        return self.touched, self.collapsed, self.ports, self.busy


class _Operation(NamedTuple):
    """What a line means."""

    head: str
    """Name with tag."""
    targets: str
    rule: Rule
    qubits: NDArray[np.int32]
    """Where the qubits that it acts on physically stand among all."""
    quantum: bool
    """Whether all targets are qubits."""
    is_port: bool
