// Two iterations of Grover's search for |101> on three qubits.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[3] c;
h q;
for int i in [1:2] {
  x q[1];
  h q[2];
  ccx q[0], q[1], q[2];
  h q[2];
  x q[1];
  h q;
  x q;
  h q[2];
  ccx q[0], q[1], q[2];
  h q[2];
  x q;
  h q;
}
c = measure q;
