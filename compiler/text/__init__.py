"""The text form of the IR: MLIR's generic syntax, dialect `qw`, the same for all three levels.

    "builtin.module"() ({
      %q0 = "qw.alloc"() {name = "a"} : () -> !qw.qubit loc("bell.qwasm":2:1)
      %q1 = "qw.h"(%q0) : (!qw.qubit) -> !qw.qubit loc("bell.qwasm":3:1)
      %q2, %b3 = "qw.measure_z"(%q1) : (!qw.qubit) -> (!qw.qubit, i1) loc("bell.qwasm":4:1)
      %q4 = "qw.x"(%q2, %b3) {cond} : (!qw.qubit, i1) -> !qw.qubit loc("bell.qwasm":5:1)
    }) {qw.level = "circuit"} : () -> ()

An operation marked `cond` is predicated on its last operand.  A program holds its functions as
"qw.func", which have blocks and, unless it is `() -> ()`, a type; see `qwasmc.ir.program` on
branches:

      "qw.func"() ({
      ^bb0(%n: i64):
        "qw.br"(%n)[^bb1] : (i64) -> ()
      ^bb1(%m: i64):
        "qw.return"(%m) : (i64) -> ()
      }) {function_type = (i64) -> i64, sym_name = "f"} : () -> ()

A surgery program prints one operation per row:

    %b2 = "qw.join"() {slab = 0, terms = ["Z(0,0)", "X(1,1)"], route = ["Z(0,1)"],
                       edges = ["(0,0)-(0,1)", "(0,1)~(1,1)"]} : () -> i1

(on one line; `-` is a plain edge, `~` a mixed one).  Values of a circuit and bits of a surgery
program print with their numbers.  What is parsed prints the same again.  Text without locations
gets its own lines as locations; of a source position the file, line and column are kept.
"""

from qwasmc.text.printer import print_ir, print_lines
from qwasmc.text.reader import parse_ir

__all__ = ["parse_ir", "print_ir", "print_lines"]
