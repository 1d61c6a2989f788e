// One bit plus one bit with a carry, in OpenQASM 2.
OPENQASM 2.0;
include "qelib1.inc";
qreg a[2];
qreg carry[1];
creg sum[2];
x a[0];
x a[1];
ccx a[0], a[1], carry[0];
cx a[0], a[1];
measure a[1] -> sum[0];
measure carry[0] -> sum[1];
