"""Right rules of all kinds, with their proofs."""

from __future__ import annotations

from dataclasses import replace

from qwasmc.backends.proving import Unproved, prove
from qwasmc.rules.notation import read_rule
from qwasmc.rules.rule import Rule, RuleSet

MATRIX = """
h a; h a => nothing
t a; t a => s a
h a; s a; h a => sx a
s a; x a => x a; sdg a
z a; x a; y a => nothing
sx a; sx a => x a
t a; x a; tdg a => x a; sdg a
cx a b; cx b a; cx a b => swap a b
h b; cz a b; h b => cx a b
h a; h b; cx a b; h a; h b => cx b a
swap a b; h a; swap a b => h b
cx a b; t b; cx a b => cx b a; t a; cx b a
sdg b; cx a b; s b => cy a b
cx a b; cx b c; cx a b => cx b c; cx a c
cz a b; cz b c; x b => x b; z a; z c; cz a b; cz b c
cx a d; cx b d; cx c d; t d; cx c d; cx b d; cx a d => cx b a; cx c a; cx d a; t a; cx d a; \
cx c a; cx b a
"""

POLYNOMIAL = """
rz(x) a; rz(y) a => rz(x + y) a
rz(x) a; t a => rz(x + pi/4) a
x a; rz(x) a; x a => rz(-x) a
rz(x) a => t a where x = pi/4
rz(x) a => nothing where x = 0
rz(x) a; h a; rz(y) a; h a => rz(x) a; h a; rz(2*x - pi/2) a; h a where y + pi/2 = 2*x
rz(x) a; rz(y) a; rz(z) a => z a where x + y + z = pi
rz(x) a; rz(y) a; rz(z) a => rz(4*x + 3*pi/2) a where x + z = y, y = 2*x + 3*pi/4, z = x + 3*pi/4
cx a b; rz(x) b; cx a b; rz(y) a; rz(z) b => rz(z) b; rz(y) a; cx b a; rz(x) a; cx b a
rz(x) a; cz a b; x b; rz(y) b => x b; z a; rz(y) b; cz a b; rz(x) a
"""

DIFFERENT = "its sides do different things"

INSTRUMENT = """
cx a b; measure_z a -> m => measure_z a -> m; x b if m
cz a b; measure_z a -> m => measure_z a -> m; z b if m
h a; measure_z a -> m; h a => measure_x a -> m
alloc c; cx a c; cx b c; measure_z c -> m; free c => ppm[ZZ] a b -> m
alloc d; cx a d; cx b d; cx c d; measure_z d -> m; free d => ppm[ZZZ] a b c -> m
alloc c; h c; cx c a; cz c b; h c; measure_z c -> m; free c => ppm[XZ] a b -> m
ppm[ZZ] a b -> m; ppm[ZZ] a b -> n; x a if n => ppm[ZZ] a b -> m; ppm[ZZ] a b -> n; x a if m
measure_z a -> m; t a => measure_z a -> m
measure_z a -> m; free a => measure_z a -> m; h a
measure_z a -> m; x a if m => measure_z a -> m; reset a
measure_y a -> m; y a if m => measure_y a -> m
alloc a; h a; x a; cx a b; free a => h a; cx a b
alloc a; rz(x) a; h a; measure_x a -> m => h a; measure_x a -> m
alloc a; h a; h a => nothing
reset a; z a => reset a
cx a b; h a; t a; free a => cx a b
h a; free a => nothing
rz(x) a; reset a => reset a
rz(x) a; measure_z a -> m; z a if m; free a => measure_z a -> m
t a; h a; measure_z a -> m; t a => t a; h a; measure_z a -> m; s a
cx a b; measure_x b -> m => measure_x b -> m; z a if m
ppm[XX] a b -> m; ppm[ZZ] a b -> n => ppm[ZZ] a b -> n; ppm[XX] a b -> m
x a if m; x a if m => nothing
x a if n; z a if m; h a => h a; x a if m; z a if n
z a if m; measure_z a -> k; x b if k; x a if m => measure_z a -> k; x b if k; x a if m
measure_z a -> m; measure_z b -> n; cx a b => measure_z a -> m; measure_z b -> n; x b if m
"""


def lines(text: str) -> list[str]:
    return text.strip().split("\n")


def proved(text: str) -> Rule:
    rule = read_rule(text)
    return replace(rule, proof=prove(rule))


def refusal(rule: Rule) -> str:
    """Why a rule is not proved, or nothing."""
    try:
        prove(rule)
    except Unproved as why:
        return str(why)
    return ""


def rule_set(*rules: Rule) -> RuleSet:
    return RuleSet("mine", "", "t", "", rules)


def cases(kind: str, text: str) -> list[tuple[str, str]]:
    return [(kind, line) for line in lines(text)]


EXAMPLES = [
    *cases("matrix", MATRIX),
    *cases("polynomial", POLYNOMIAL),
    *cases("instrument", INSTRUMENT),
]
