"""Circuit-level noise: a noiseless Stim circuit in, the same circuit with errors out.

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

A *layer* is what stands between two TICKs.  The noise of an operation follows it at once; that
of the qubits a layer leaves alone closes the layer.  Annotations, tags and REPEAT blocks stay.

Two models are known by name:

- `uniform:p`: every gate, reset, measurement and idle qubit fails with probability p.
- `si1000:p`: superconducting-inspired, 1000 ns per cycle (Gidney, Newman, Fowler, Broughton,
  "A Fault-Tolerant Honeycomb Memory", arXiv:2108.10457, the SI1000 column of its noise tables).

In both, a measurement flips its recorded result, and a classically controlled Pauli is a
change of frame: it has no noise and keeps no qubit busy.

Operations tagged `port` inject a magic state whose preparation is accounted for elsewhere.  The
qubits they act on are free of noise for that layer, and so is a gate that another qubit shares
with them; one that waits is named by `I[port]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import groupby
from typing import NamedTuple

import stim

PORT_TAG = "port"
"""Tag of the operations of a noise-free injection port."""

_ANNOTATIONS = {"DETECTOR", "OBSERVABLE_INCLUDE", "QUBIT_COORDS", "SHIFT_COORDS", "MPAD"}
_QUBIT = re.compile(r"\d+")
_MIXED_1 = 3 / 4
_MIXED_2 = 15 / 16


class NoiseError(ValueError):
    """A noise model that makes no sense, or a circuit that noise cannot be added to."""


def _strength(limit: float) -> float:
    """A field of `NoiseModel`: no noise by default, at most `limit`."""
    strength: float = field(default=0.0, metadata={"limit": limit})
    return strength


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Error probabilities by cause; the default is no noise.

    A depolarizing channel may at most mix completely (3/4 on one qubit, 15/16 on two): beyond
    that Stim has no error model for it.
    """

    gate1: float = _strength(_MIXED_1)
    """DEPOLARIZE1 after a one-qubit gate."""
    gate2: float = _strength(_MIXED_2)
    """DEPOLARIZE2 after a two-qubit gate."""
    reset: float = _strength(1.0)
    """A reset prepares the orthogonal state."""
    measure: float = _strength(1.0)
    """A measurement records the wrong result."""
    idle: float = _strength(_MIXED_1)
    """DEPOLARIZE1 on a qubit that a layer does not touch."""
    resonator_idle: float = _strength(_MIXED_1)
    """DEPOLARIZE1, on top, on a qubit not measured or reset in a layer where others are."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value, limit = getattr(self, item.name), item.metadata["limit"]
            if not 0 <= value <= limit:
                raise NoiseError(
                    f"{item.name} error probability {value!r} is not between 0 and {limit}"
                )

    @classmethod
    def uniform(cls, p: float) -> NoiseModel:
        """Every location fails with probability `p`."""
        return cls(gate1=p, gate2=p, reset=p, measure=p, idle=p)

    @classmethod
    def si1000(cls, p: float) -> NoiseModel:
        """SI1000 of arXiv:2108.10457, scaled by the two-qubit error probability `p`.

        The paper's gate set is CZ and Z-basis reset and measurement; others get the noise of
        their class.  The paper flips the qubit before a measurement, this flips the record.
        """
        return cls(
            gate1=p / 10, gate2=p, reset=2 * p, measure=5 * p, idle=p / 10, resonator_idle=2 * p
        )


def parse_noise(text: str) -> NoiseModel:
    """The model that `none`, `uniform:P` or `si1000:P` names; `NoiseError` for anything else."""
    if text == "none":
        return NoiseModel()
    name, colon, number = text.partition(":")
    makers = {"uniform": NoiseModel.uniform, "si1000": NoiseModel.si1000}
    if name not in makers or not colon:
        raise NoiseError(f"unknown noise model '{text}': expected none, uniform:P or si1000:P")
    try:
        p = float(number)
    except ValueError:
        raise NoiseError(f"'{number}' in noise model '{text}' is not a number") from None
    try:
        return makers[name](p)
    except NoiseError as problem:
        raise NoiseError(f"noise model '{text}': {problem}") from None


def apply_noise(
    circuit: stim.Circuit, model: NoiseModel, *, noisy_ports: bool = False
) -> stim.Circuit:
    """`circuit` under `model`, in time linear in its text (REPEAT blocks stay folded).

    Raises `NoiseError` if the circuit holds noise already or an operation without a rule.
    """
    return Noiser(model, circuit_qubits(circuit), noisy_ports=noisy_ports).fragment(circuit)


def circuit_qubits(circuit: stim.Circuit) -> set[int]:
    """The qubits that operations name; coordinates alone do not make a qubit."""
    return {int(name) for name in _named(circuit)}


def _named(circuit: stim.Circuit) -> set[str]:
    names: set[str] = set()
    for item in circuit:
        if isinstance(item, stim.CircuitRepeatBlock):
            names |= _named(item.body_copy())
        elif item.name != "TICK" and item.name not in _ANNOTATIONS:
            _, targets = _split(item)
            names.update(name for group in _groups(targets, width=1) for name in group.qubits)
    return names


class Noiser:
    """Adds noise to a circuit that arrives in fragments cut at layer boundaries.

    The fragments' results, put together, are the noise of the whole circuit.  `qubits` are all
    qubits of the whole circuit: a layer must know who idles in it.  With `noisy_ports`, the
    `port` tag means nothing.
    """

    def __init__(
        self, model: NoiseModel, qubits: Iterable[int], *, noisy_ports: bool = False
    ) -> None:
        self._model = model
        self._noisy_ports = noisy_ports
        self._qubits = {str(qubit): None for qubit in sorted(qubits)}
        self._idle = _channel("DEPOLARIZE1", model.idle)
        self._resonator_idle = _channel("DEPOLARIZE1", model.resonator_idle)

    def fragment(self, circuit: stim.Circuit) -> stim.Circuit:
        """The noisy form of whole layers: `circuit` starts and ends where a TICK stands."""
        if self._model == NoiseModel():
            return circuit.copy()
        out, open_layer = self._body(circuit, _Layer())
        self._close(open_layer, out)
        return out

    def _body(self, circuit: stim.Circuit, before: _Layer) -> tuple[stim.Circuit, _Layer]:
        """The noisy form of a loop body or fragment that starts inside the layer `before`.

        Also returns the layer that is open at its end, for the code behind it to close.
        """
        out = stim.Circuit()
        layer = before.copy()
        steps: list[_Step] = []
        for item in circuit:
            if isinstance(item, stim.CircuitRepeatBlock):
                self._add(steps, layer, out)
                layer = self._repeat(item, layer, out)
            elif item.name == "TICK":
                self._add(steps, layer, out)
                self._close(layer, out)
                layer = _Layer()
                out.append(item)
            else:
                steps.append(self._step(item))
        self._add(steps, layer, out)
        return out, layer

    def _repeat(self, block: stim.CircuitRepeatBlock, before: _Layer, out: stim.Circuit) -> _Layer:
        """Append the noisy loop to `out`; returns the layer that is open at its end.

        The layer that the body's first TICK closes began before the loop in the first pass and
        at the end of the body in later ones.  Where these differ, the first pass is peeled off.
        """
        body, count = block.body_copy(), block.repeat_count
        first, layer = self._body(body, before)
        if count > 1 and layer != before:
            later, layer = self._body(body, layer)
            if later != first:
                out += first
                first, count = later, count - 1
        out.append(stim.CircuitRepeatBlock(count, first, tag=block.tag))
        return layer

    def _step(self, item: stim.CircuitInstruction) -> _Step:
        if item.name in _ANNOTATIONS:
            return _Step(item, None, "", "")
        rule = _rule(self._model, item.name)
        if rule is None:
            raise NoiseError(f"no noise rule for '{_shortened(item)}'")
        if item.gate_args_copy():
            raise NoiseError(f"the circuit is noisy already: '{_shortened(item)}'")
        return _Step(item, rule, *_split(item))

    def _add(self, steps: list[_Step], layer: _Layer, out: stim.Circuit) -> None:
        """Append `steps`, all of one layer, with their own noise; empties `steps`."""
        operations = [step for step in steps if step.rule is not None]
        ports = set() if self._noisy_ports else _port_qubits(operations)
        if operations and layer.touched and (ports or layer.ports):
            raise NoiseError("a layer with port operations crosses the edge of a REPEAT block")
        layer.ports |= ports
        for step in steps:
            if step.rule is None:
                out.append(step.item)
            elif ports or "[" in step.targets:
                self._add_by_group(step, step.rule, layer, out)
            else:
                layer.touch(_QUBIT.findall(step.targets), step.rule)
                _append(out, step, step.rule.flip, step.targets)
                if step.rule.after and step.targets:
                    out.append_from_stim_program_text(
                        f"{step.rule.after} {step.targets.replace('!', '')}"
                    )
        steps.clear()

    def _add_by_group(self, step: _Step, rule: _Rule, layer: _Layer, out: stim.Circuit) -> None:
        """Append a step some of whose targets may be ports or classical bits."""
        groups = list(_groups(step.targets, rule.width))
        for group in groups:
            layer.touch(group.qubits, rule)
        for quiet, run in groupby(groups, lambda group: not layer.ports.isdisjoint(group.qubits)):
            # Measurements keep their order, so the step is cut where quiet targets begin or end.
            _append(out, step, "" if quiet else rule.flip, " ".join(group.text for group in run))
        noisy = " ".join(
            group.text for group in groups if group.quantum and layer.ports.isdisjoint(group.qubits)
        )
        if rule.after and noisy:
            out.append_from_stim_program_text(f"{rule.after} {noisy.replace('!', '')}")

    def _close(self, layer: _Layer, out: stim.Circuit) -> None:
        """Append the noise of the qubits that the finished `layer` left waiting."""
        if not layer.touched:
            return
        unknown = layer.touched - self._qubits.keys()
        if unknown:
            raise NoiseError(f"qubits not declared to the noiser: {', '.join(sorted(unknown))}")
        self._depolarize(self._idle, layer.touched, out)
        if layer.collapsed:
            self._depolarize(self._resonator_idle, layer.collapsed | layer.ports, out)

    def _depolarize(self, channel: str, spared: set[str], out: stim.Circuit) -> None:
        if channel and len(spared) < len(self._qubits):
            names = " ".join(name for name in self._qubits if name not in spared)
            out.append_from_stim_program_text(f"{channel} {names}")


@dataclass(slots=True)
class _Layer:
    """What an unfinished layer has done so far.  Qubits are named by their text."""

    touched: set[str] = field(default_factory=set)
    collapsed: set[str] = field(default_factory=set)
    ports: set[str] = field(default_factory=set)

    def copy(self) -> _Layer:
        return _Layer(set(self.touched), set(self.collapsed), set(self.ports))

    def touch(self, qubits: Iterable[str], rule: _Rule) -> None:
        self.touched.update(qubits)
        if rule.collapses:
            self.collapsed.update(qubits)


class _Rule(NamedTuple):
    """What noise a kind of operation gets, as Stim text; empty for none."""

    after: str = ""
    """Channel that follows, on the same targets."""
    flip: str = ""
    """Argument of a measurement."""
    collapses: bool = False
    """Whether it measures or resets."""
    width: int = 1
    """Number of targets that belong together."""


class _Step(NamedTuple):
    """An instruction and its text, `head` (with tag) and `targets`; no rule: an annotation."""

    item: stim.CircuitInstruction
    rule: _Rule | None
    head: str
    targets: str


class _Group(NamedTuple):
    """Targets that one application of a gate takes, and the qubits it acts on physically."""

    text: str
    qubits: list[str]
    quantum: bool


def _channel(name: str, p: float) -> str:
    return f"{name}({p!r})" if p else ""


@cache
def _rule(model: NoiseModel, name: str) -> _Rule | None:
    """The rule for the gate `name`; None for noise channels and for Pauli-product gates."""
    gate = stim.gate_data(name)
    width = 2 if gate.is_two_qubit_gate else 1
    if gate.is_unitary and gate.is_single_qubit_gate:
        return _Rule(after=_channel("DEPOLARIZE1", model.gate1))
    if gate.is_unitary and gate.is_two_qubit_gate:
        return _Rule(after=_channel("DEPOLARIZE2", model.gate2), width=width)
    after = ""
    if gate.is_reset:
        after = _channel("Z_ERROR" if name.endswith("X") else "X_ERROR", model.reset)
    if gate.produces_measurements and 0 in gate.num_parens_arguments_range:
        flip = _channel("", model.measure)
        return _Rule(after=after, flip=flip, collapses=True, width=width)
    return _Rule(after=after, collapses=True) if gate.is_reset else None


def _split(item: stim.CircuitInstruction) -> tuple[str, str]:
    """An instruction's text without arguments: name with tag, and targets."""
    # A ']' inside a tag prints as '\C', so the first one ends the tag.
    head, end, targets = str(item).partition("] " if item.tag else " ")
    return (head + "]" if end and item.tag else head), targets


def _groups(targets: str, width: int) -> Iterator[_Group]:
    words = targets.split()
    for start in range(0, len(words), width):
        group = words[start : start + width]
        quantum = not any("[" in word for word in group)
        text = " ".join(group)
        yield _Group(text, _QUBIT.findall(text) if quantum else [], quantum)


def _port_qubits(operations: list[_Step]) -> set[str]:
    return {
        qubit
        for step in operations
        if step.item.tag == PORT_TAG
        for qubit in _QUBIT.findall(step.targets)
    }


def _append(out: stim.Circuit, step: _Step, flip: str, targets: str) -> None:
    if flip and targets:
        out.append_from_stim_program_text(f"{step.head}{flip} {targets}")
    elif targets == step.targets:
        out.append(step.item)
    else:
        out.append_from_stim_program_text(f"{step.head} {targets}")


def _shortened(item: stim.CircuitInstruction) -> str:
    text = str(item)
    return text if len(text) <= 40 else text[:37] + "..."
