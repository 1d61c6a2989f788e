"""QVM graphs: what they mean, in which order, and that conversions lose nothing."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import qwasmc
from qwasmc.backends.stim.simulate import simulate
from qwasmc.diagnostics import CompileError, render
from qwasmc.grammar import qvm, qwasm
from qwasmc.grammar.evaluator import Limits, LineError
from qwasmc.grammar.qvm_json import decode
from qwasmc.text import print_ir
from qwasmc.verify import verify

ROOT = Path(__file__).parent.parent
CORPUS = ROOT.parent / "shared" / "corpus" / "qvm"
GRAPHS = sorted(CORPUS.rglob("*.qvm.json")) + sorted((ROOT / "examples").glob("*.qvm.json"))
TEXTS = [
    path
    for path in (ROOT / "examples").glob("*.qwasm")
    if path.stem in ("bell", "ghz", "macros", "magic", "repetition", "teleport")
] + [
    path
    for path in sorted(CORPUS.glob("examples/asm/*.qasm")) + sorted(CORPUS.rglob("*.qvm.asm"))
    if path.stem not in ("vqe_ansatz", "stdlib.qvm")
]
ERRORS = Path(__file__).parent / "qvm_errors"


def printed(program):
    """The program without the places it comes from."""
    verify(program)
    return re.sub(r' loc\("(?:[^"\\]|\\.)*"[^)]*\)', "", print_ir(program))


def graph(nodes, caps=("CAP_ALLOC", "CAP_LINK", "CAP_MAGIC", "CAP_TELEPORT"), **more):
    """A graph of nodes, which declares what they use."""
    resources = {"vqs": [], "chs": [], "events": []}
    for node in nodes:
        for key, resource in (("vqs", "vqs"), ("chs", "chs"), ("produces", "events")):
            for name in node.get(key, ()):
                if name not in resources[resource]:
                    resources[resource].append(name)
    return {
        "version": "0.1",
        "program": {"nodes": nodes},
        "resources": resources,
        "caps": list(caps),
        **more,
    }


def numbered(*nodes):
    return [{"id": f"n{number}", **node} for number, node in enumerate(nodes)]


def node(op, *vqs, **more):
    return {"op": op, "vqs": list(vqs), **more}


def if_(event, equals=1):
    return {"event": event, "equals": equals}


def read(data):
    return qvm.read(json.dumps(data), "test.qvm.json")


def failure(data):
    with pytest.raises(CompileError) as caught:
        qvm.read(data if isinstance(data, (str, bytes)) else json.dumps(data), "test.qvm.json")
    return caught.value.diagnostics


def ids(data):
    """The ids of a graph's nodes in the order of the text, which is that of execution."""
    text = qvm.to_text(json.dumps(data), "test.qvm.json")
    return re.findall(r"^(\w+): ", text, re.MULTILINE)


# ---------------------------------------------------------------- conversions


def same_json(one, other):
    """Equal with the types of numbers; the order of keys does not matter."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def instructions(text):
    return [line for line in text.split("\n") if not line.startswith(";")]


def check_graph(data):
    """A graph, its text, and the graph of that are the same program; the graphs are equal."""
    text = qvm.to_text(data, "a.qvm.json")
    back = qvm.from_text(text, "b.qwasm")
    assert same_json(json.loads(back), json.loads(data))
    program = printed(qvm.read(data, "a.qvm.json"))
    assert printed(qwasm.read(text, "b.qwasm")) == program
    assert printed(qvm.read(back, "c.qvm.json")) == program
    assert instructions(qvm.to_text(back, "c.qvm.json")) == instructions(text)


def check_text(text, name="a.qwasm"):
    """A text and its graph are the same program."""
    data = qvm.from_text(text, name)
    assert printed(qvm.read(data, "b.qvm.json")) == printed(qwasm.read(text, name))
    again = qvm.to_text(data, "b.qvm.json")
    assert qvm.from_text(again, "c.qwasm") == data


def test_there_are_graphs():
    assert ROOT / "examples" / "teleport.qvm.json" in GRAPHS


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.name)
def test_graphs_of_others_keep(path):
    check_graph(path.read_bytes())


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_texts_keep(path):
    check_text(path.read_bytes(), str(path))


NAMES = ["a", "b", "c"]
GUARDED = {"X": 1, "H": 1, "CNOT": 2, "CZ": 2, "RZ": 1, "CCX": 3}
STRINGS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
ANNOTATIONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def guards(draw, events, depth=2):
    if depth == 0 or draw(st.booleans()):
        return if_(draw(st.sampled_from(events)), draw(st.integers(0, 1)))
    name = draw(st.sampled_from(["and", "or", "not", "xor"]))
    if name == "xor":
        pair = [if_(draw(st.sampled_from(events))) for _ in range(2)]
        return {"type": "xor", "conditions": pair}
    count = 1 if name == "not" else draw(st.integers(1, 3))
    return {
        "type": name,
        "conditions": [draw(guards(events, depth - 1)) for _ in range(count)],
    }


@st.composite
def random_nodes(draw):
    """Nodes of a valid program, in an order of execution."""
    nodes = [{"op": "ALLOC_LQ", "vqs": NAMES, "args": {"n": 3}}]
    events = []
    for number in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["gate", "gate", "measure", "cond", "fence", "policy", "chan"]))
        qubits = draw(st.permutations(NAMES))
        if kind == "gate":
            name = draw(st.sampled_from(sorted(GUARDED)))
            new = node(f"APPLY_{name}", *qubits[: GUARDED[name]])
            if name == "RZ":
                angle = draw(st.floats(-7, 7) | st.integers(-3, 3))
                new["args"] = {draw(st.sampled_from(["theta", "phi"])): angle}
            if events and draw(st.booleans()):
                new["guard"] = draw(guards(events))
        elif kind == "measure":
            event = draw(st.sampled_from([f"m{number}", *events]))
            new = node(f"MEASURE_{draw(st.sampled_from('XYZ'))}", qubits[0], produces=[event])
            events += [event] if event not in events else []
        elif kind == "cond" and events:
            inputs = draw(st.lists(st.sampled_from(events), min_size=1, max_size=3))
            new = node("COND_PAULI", qubits[0], args={"mask": "Y"}, inputs=inputs)
        elif kind == "policy":
            keys = st.sampled_from(["priority", "deadline", "x1"])
            new = {"op": "SET_POLICY", "args": draw(st.dictionaries(keys, ANNOTATIONS))}
        elif kind == "chan":
            new = node("OPEN_CHAN", *qubits[:2], chs=[f"ch{number}"], args={"opts": {"f": 0.5}})
        else:
            new = node("FENCE_EPOCH", args={"tag": draw(STRINGS)})
            if events and draw(st.booleans()):
                new["inputs"] = draw(st.lists(st.sampled_from(events), max_size=2))
        for key in ("inputs", "produces", "chs", "caps"):
            if draw(st.integers(0, 9)) == 0:
                new.setdefault(key, [])
        if draw(st.integers(0, 4)) == 0:
            new["metadata"] = draw(ANNOTATIONS)
        nodes.append(new)
    if draw(st.booleans()):
        nodes.append(node("FREE_LQ", *draw(st.permutations(NAMES))))
    words = st.sampled_from(["x", "h", "If", "if", "n1", "pi", "and"])
    names = draw(st.lists(words, unique=True, max_size=len(nodes)))
    names += [f"n_{number}" for number in range(len(nodes) - len(names))]
    return [{"id": name, **new} for name, new in zip(names, nodes, strict=True)]


@given(random_nodes(), st.dictionaries(STRINGS.map("x-".__add__), ANNOTATIONS, max_size=2))
def test_random_graphs_keep(nodes, annotations):
    data = graph(nodes, **annotations)
    check_graph(json.dumps(data))
    assert ids(data) == [n["id"] for n in nodes if n["id"].lower() != "if"]


@given(random_nodes(), st.randoms(use_true_random=False))
def test_shuffled_graphs_keep(nodes, rng):
    rng.shuffle(nodes)
    data = json.dumps(graph(nodes))
    try:
        qvm.read(data, "a.qvm.json")
    except CompileError:
        return  # an event produced twice may now be read before
    check_graph(data)


@st.composite
def random_guards(draw, depth=3):
    """Guards as people write them."""
    if depth == 0 or draw(st.integers(0, 2)) == 0:
        left, right = draw(st.permutations(["m0", "m1", "m2", "0", "1", "{bit}"]))[:2]
        if not {left, right} & {"m0", "m1", "m2"}:
            left = "m1"
        compared = f"{left} {draw(st.sampled_from(['==', '!=']))} {right}"
        return draw(st.sampled_from(["m0", "m{i}", "!m2", "not m1", compared, compared]))
    inner = [f"({draw(random_guards(depth - 1))})" for _ in range(draw(st.integers(1, 3)))]
    joined = draw(st.sampled_from([" && ", " or ", " || "])).join(inner)
    return draw(st.sampled_from(["", "not "])) + f"({joined})"


@given(random_guards())
def test_guards_of_texts_keep(guard):
    text = ".set bit = 1\n.set i = 2\n.caps CAP_ALLOC\nALLOC_LQ -> a, b\n"
    for event in range(3):
        text += f"MEASURE_Z a -> m{event}\n"
    check_text(f"{text}X: APPLY_CNOT a, b if {guard}\nCOND_PAULI b, m0, m1, mask=X, inputs=m2\n")


def test_every_form_of_text_keeps():
    check_text(
        """
        .caps CAP_TELEPORT CAP_LINK CAP_ALLOC
        .macro pair(x, y)
        h: APPLY_H {x}
        cx{x}: APPLY_CNOT {x}, {y}
        .endmacro
        ALLOC_LQ 2 -> a, b      ; no label
        h: alloc_lq {1} -> c [CAP_ALLOC]
        .for i in 0..2
        loop{i}: APPLY_RZ a, {i * 0.5}
        .endfor
        pair(a, b)
        h_2: APPLY_RX c, theta=2
        pair(b, c)
        n1: BAR_REGION a, b, tag="a \\"quoted\\" {{brace}} ; // \\\\ é"
        SET_POLICY deadline=[1, -2.5, "x"], always=True, name=word -> handle
        OPEN_CHAN a, b -> ch, fidelity=0.5
        USE_CHAN c, ch, semantic="teleport"
        USE_CHAN ch, semantic="swap"
        CLOSE_CHAN ch
        TELEPORT_CNOT a, b
        MEASURE_BELL a, b -> m, n
        FREE_LQ b
        ALLOC_LQ -> b
        MEASURE_Z b -> m
        RESET a if m == 0
        """.replace(" -> ch, fidelity=0.5", ", fidelity=0.5 -> ch")
    )


def test_labels_become_ids():
    text = (
        ".caps CAP_ALLOC\nn1: ALLOC_LQ -> a\nAPPLY_H a\nx: APPLY_H a\nx: APPLY_H a\nx_2: APPLY_H a"
    )
    nodes = json.loads(qvm.from_text(text, "a.qwasm"))["program"]["nodes"]
    assert [n["id"] for n in nodes] == ["n1", "n2", "x", "x_3", "x_2"]


REFUSED = {
    "QLINIT 2": "QLINIT has no form in a graph",
    "REV_BEGIN s": "REV_BEGIN has no form in a graph",
    "PERF_MARK a": "PERF_MARK has no form in a graph",
    "IF m: APPLY_X a": "a predicate has no form in a graph",
    "SET_POLICY 5": "'5' is not a name of a qubit in a graph",
    "SET_POLICY x={1e308 * 10}": "a graph has finite numbers only",
    "SET_POLICY inputs=3": "'inputs' cannot be an argument in a graph",
    "FREE_LQ a\nSET_POLICY a": "a graph would not keep the meaning or place of this instruction",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_has_no_form_in_a_graph_is_refused(line):
    text = f".caps CAP_ALLOC\nALLOC_LQ -> a\nMEASURE_Z a -> m\n{line}\n"
    with pytest.raises(CompileError) as caught:
        qvm.from_text(text, "a.qwasm")
    (found,) = caught.value.diagnostics
    assert found.message == REFUSED[line]
    assert found.place.line in (4, 5)


NOTES = {
    ';qvm {"node": {"vqs": ["b"]}}\nAPPLY_H a': "a graph would not keep",
    ';qvm {"node": {"vqs": "b"}}\nAPPLY_H a': "the graph is not valid: vqs must be a list",
    ';qvm {"node": {"x": 1}}\n\nAPPLY_H a': "this comment is about no instruction",
    ';qvm {"node": [1]}\nAPPLY_H a': "this comment is not understood",
    ';qvm {"node": {}': "in this comment: the file ends too early",
    ';qvm {"order": [1, 0]}': "the order in this comment is not one",
    ';qvm {"order": [0, 0, 1]}\nAPPLY_H a\nAPPLY_S a': "the order in this comment is not one",
    ';qvm {"order": [0, 2, 1]}\nAPPLY_H a\nAPPLY_S a': "a graph would not keep",
    ';qvm {"graph": {"caps": []}}': "this comment is not understood",
}


@pytest.mark.parametrize("lines", NOTES)
def test_comments_cannot_change_the_program(lines):
    text = f".caps CAP_ALLOC\nALLOC_LQ -> a, b\n{lines}\n"
    qwasm.read(text, "a.qwasm")
    with pytest.raises(CompileError) as caught:
        qvm.from_text(text, "a.qwasm")
    assert caught.value.diagnostics[0].message.startswith(NOTES[lines])


def test_edited_text_keeps_its_annotations():
    data = graph(numbered(node("ALLOC_LQ", "a"), node("APPLY_H", "a", why="x")), title="t")
    data["resources"] = {"vqs": ["a"]}
    text = qvm.to_text(json.dumps(data), "a") + "more: ALLOC_LQ -> b\n"
    found = json.loads(qvm.from_text(text, "b"))
    assert found["title"] == "t"
    assert found["resources"] == {"vqs": ["a", "b"]}
    assert [n["id"] for n in found["program"]["nodes"]] == ["n0", "n1", "more"]


# ---------------------------------------------------------------- meaning


def test_teleport_example():
    """The received bit is 0 whatever the two random bits are."""
    circuit = qwasmc.compile(ROOT / "examples" / "teleport.qvm.json", emit="circuit").ir
    assert set(simulate(circuit, 200, seed=1)["counts"]) == {"000", "010", "100", "110"}


@pytest.mark.parametrize("bits", list(itertools.product([0, 1], repeat=2)))
@pytest.mark.parametrize(
    ("guard", "truth"),
    [
        (if_("m0"), lambda a, b: a),
        (if_("m0", 0), lambda a, b: not a),
        ({"type": "and", "conditions": [if_("m0"), if_("m1", 0)]}, lambda a, b: a and not b),
        ({"type": "or", "conditions": [if_("m0"), if_("m1", 0)]}, lambda a, b: a or not b),
        ({"type": "not", "conditions": [if_("m1", 0)]}, lambda a, b: b),
        ({"type": "xor", "conditions": [if_("m0"), if_("m1")]}, lambda a, b: a != b),
    ],
)
def test_guards(guard, truth, bits):
    nodes = [node("ALLOC_LQ", "a", "b", "c")]
    nodes += [node("APPLY_X", name) for name, bit in zip("ab", bits, strict=True) if bit]
    nodes += [node("MEASURE_Z", "a", produces=["m0"]), node("MEASURE_Z", "b", produces=["m1"])]
    nodes += [node("APPLY_X", "c", guard=guard), node("MEASURE_Z", "c", produces=["r"])]
    data = json.dumps(graph(numbered(*nodes)))
    text = qvm.to_text(data, "a")
    counts = simulate(qwasmc.compile(text, emit="circuit").ir, 5, seed=1)["counts"]
    assert set(counts) == {f"{bits[0]}{bits[1]}{int(truth(*bits))}"}
    assert printed(qwasm.read(text, "a")) == printed(qvm.read(data, "a"))


def test_operations_point_into_the_json():
    data = '{"version": "0.1", "caps": ["CAP_ALLOC"], "resources": {"vqs": ["q"]}, "program":\n'
    data += ' {"nodes": [{"id": "a",\n   "op": "ALLOC_LQ", "vqs": ["q"]}]}}'
    program = qvm.read(data, "x.json")
    place = program.locations.place(program.main.blocks[0].ops[0].loc)
    assert (str(place), place.end) == ("x.json:3:10", 20)


def test_services_stay_as_notes():
    data = graph(numbered({"op": "SET_POLICY", "args": {"k": {"deep": [1, None]}}}))
    program = read(data)
    assert program.main.blocks[0].ops[0].attrs["text"].startswith("SET_POLICY k=")
    assert len(program.warnings) == 1


# ---------------------------------------------------------------- order


def test_handles_order_nodes():
    data = graph(
        numbered(
            node("FREE_LQ", "a"),
            node("APPLY_X", "b", guard=if_("m")),
            node("FREE_LQ", "b"),
            node("MEASURE_Z", "a", produces=["m"]),
            node("MEASURE_Z", "b", produces=["r"]),
            node("ALLOC_LQ", "a", "b"),
        )
    )
    assert ids(data) == ["n5", "n3", "n0", "n1", "n4", "n2"]
    assert read(data).warnings == []


def test_dependencies_win_over_the_file_with_a_warning():
    data = graph(
        numbered(
            node("ALLOC_LQ", "a", "b"),
            node("APPLY_X", "a", guard=if_("m")),
            node("APPLY_H", "a"),
            node("MEASURE_Z", "a", produces=["m"]),
            node("APPLY_Y", "b", guard=if_("m")),
            node("APPLY_Z", "b"),
        )
    )
    assert ids(data) == ["n0", "n2", "n3", "n1", "n4", "n5"]
    (warning,) = read(data).warnings
    assert warning.message == "node 'n1' needs what nodes after it make that share its handles"


def test_a_name_with_several_lives_is_used_in_the_order_of_the_file():
    nodes = []
    for life in range(3):
        nodes += [node("ALLOC_LQ", "a"), node("APPLY_H", "a")]
        nodes += [node("MEASURE_Z", "a", produces=["m"]), node("APPLY_X", "a", guard=if_("m"))]
        nodes += [node("FREE_LQ", "a")] if life < 2 else []
    assert ids(graph(numbered(*nodes))) == [f"n{i}" for i in range(len(nodes))]


@given(random_nodes(), st.randoms(use_true_random=False))
def test_order_keeps_what_must_be_kept(nodes, rng):
    """Against the definition, pair by pair, for programs that produce each event once."""
    produced = [event for n in nodes for event in n.get("produces", ())]
    if len(set(produced)) < len(produced):
        return
    rng.shuffle(nodes)
    place = {name: at for at, name in enumerate(ids(graph(nodes)))}
    for before, after in itertools.permutations(nodes, 2):
        if before["id"] not in place or after["id"] not in place:
            continue
        shared = set(before.get("vqs", ())) & set(after.get("vqs", ()))
        looked_at = json.dumps([after.get("inputs", []), after.get("guard")])
        needed = any(f'"{event}"' in looked_at for event in before.get("produces", ()))
        made = shared and (before["op"] == "ALLOC_LQ" or after["op"] == "FREE_LQ")
        if needed or made:
            assert place[before["id"]] < place[after["id"]]


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("case", sorted(path.stem for path in ERRORS.glob("*.json")))
def test_golden(case, monkeypatch):
    """Run with QWASMC_REGENERATE=1 to write the golden files anew, then read the difference."""
    monkeypatch.chdir(ERRORS)
    name = f"{case}.json"
    with pytest.raises(CompileError) as caught:
        qvm.read(Path(name).read_bytes(), name)
    rendered = "".join(map(render, caught.value.diagnostics))
    rendered += f"exit code {caught.value.exit_code}\n"
    golden = ERRORS / f"{case}.err"
    if os.environ.get("QWASMC_REGENERATE"):
        golden.write_text(rendered, "utf-8")
    assert rendered == golden.read_text("utf-8")


def test_no_more_errors_than_allowed():
    data = graph(numbered(*[node("NOTHING") for _ in range(50)]))
    assert len(failure(data)) == Limits().errors
    data = graph(numbered(*[node("APPLY_H", f"q{number}") for number in range(50)]))
    assert len(failure(data)) == Limits().errors


@pytest.mark.parametrize("data", [b"", b"\xff{}", b'{"a": "\0"}', b"[]", b"7", b'{"a": "\\ud800"}'])
def test_what_is_no_graph(data):
    assert all(found.place is not None for found in failure(data))


def strictly(text):
    """What Python's reader says of a text, made strict; None if it is not JSON."""

    def refuse(word):
        raise ValueError(word)

    def members(pairs):
        if len(dict(pairs)) < len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        value = json.loads(text, parse_constant=refuse, object_pairs_hook=members)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return None
    return [value]


def decoded(text):
    try:
        return [decode(text, Limits()).plain()]
    except LineError as problem:
        start, end = problem.span
        return None if 0 <= start < end <= len(text) + 1 else "a place outside the text"


PIECES = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"a"', '"b"', "1", "-0.5e3", "01", "-", "1.", "true", "nul",
     "NaN", "-Infinity", " ", "\n", '"\\n"', '"\\x"', '"', "'", "é", "\x01", '"\\ud83d\\ude00"',
     '"\\ud83d"', "1e999", "1e5x", "\t", "\u00a0"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=9).map("".join) | ANNOTATIONS.map(json.dumps))
def test_decoder_agrees_with_a_strict_reader(text):
    found, wanted = decoded(text), strictly(text)
    assert (found is None) == (wanted is None)
    assert same_json(found, wanted)


@given(ANNOTATIONS, st.integers(0, 200), st.characters(max_codepoint=127))
def test_decoder_agrees_on_damaged_texts(value, at, char):
    text = json.dumps(value)
    text = text[: at % len(text)] + char + text[at % len(text) + 1 :]
    found, wanted = decoded(text), strictly(text)
    assert (found is None) == (wanted is None)
    assert same_json(found, wanted)


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_no_input_is_a_crash(data):
    failure(data)


def test_deep_texts_do_not_recurse():
    for text in ("[" * 10**6, '{"a":' * 10**5, '{"version": [' + "[" * 199 + "]" * 200 + "}"):
        failure(text)
    nested = if_("m")
    for _ in range(90):
        nested = {"type": "and", "conditions": [nested, if_("m", 0)]}
    nodes = [node("ALLOC_LQ", "a"), node("MEASURE_Z", "a", produces=["m"])]
    check_graph(json.dumps(graph(numbered(*nodes, node("APPLY_X", "a", guard=nested)))))


def long_graph(count):
    """Nodes against their order: every node waits for the next."""
    rng = random.Random(count)
    nodes = [node("ALLOC_LQ", *NAMES)]
    for number in range(count):
        nodes.append(node("MEASURE_Z", rng.choice(NAMES), produces=[f"m{number}"]))
        nodes.append(node("APPLY_X", rng.choice(NAMES), guard=if_(f"m{number}")))
    return json.dumps(graph(numbered(*reversed(nodes))))


@pytest.mark.slow
def test_time_is_linear():
    def seconds(count):
        data = long_graph(count)
        start = time.process_time()
        qvm.read(data, "a.qvm.json")
        return time.process_time() - start

    seconds(100)
    assert seconds(16000) < 12 * max(seconds(4000), 0.05)
