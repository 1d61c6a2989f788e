; Teleportation as an adaptive QIR program: corrections behind branches on results.
source_filename = "teleport"

@msg = internal constant [2 x i8] c"m\00"

define void @teleport() #0 {
entry:
  ; the message |1>, and a Bell pair
  call void @__quantum__qis__x__body(ptr null)
  call void @__quantum__qis__h__body(ptr inttoptr (i64 1 to ptr))
  call void @__quantum__qis__cnot__body(ptr inttoptr (i64 1 to ptr), ptr inttoptr (i64 2 to ptr))
  ; a Bell measurement
  call void @__quantum__qis__cnot__body(ptr null, ptr inttoptr (i64 1 to ptr))
  call void @__quantum__qis__h__body(ptr null)
  call void @__quantum__qis__mz__body(ptr null, ptr null)
  call void @__quantum__qis__mz__body(ptr inttoptr (i64 1 to ptr), ptr inttoptr (i64 1 to ptr))
  %z = call i1 @__quantum__rt__read_result(ptr null)
  br i1 %z, label %fix_z, label %next
fix_z:
  call void @__quantum__qis__z__body(ptr inttoptr (i64 2 to ptr))
  br label %next
next:
  %x = call i1 @__quantum__rt__read_result(ptr inttoptr (i64 1 to ptr))
  br i1 %x, label %fix_x, label %end
fix_x:
  call void @__quantum__qis__x__body(ptr inttoptr (i64 2 to ptr))
  br label %end
end:
  call void @__quantum__qis__mz__body(ptr inttoptr (i64 2 to ptr), ptr inttoptr (i64 2 to ptr))
  call void @__quantum__rt__result_record_output(ptr inttoptr (i64 2 to ptr), ptr @msg)
  ret void
}

declare void @__quantum__qis__x__body(ptr)
declare void @__quantum__qis__z__body(ptr)
declare void @__quantum__qis__h__body(ptr)
declare void @__quantum__qis__cnot__body(ptr, ptr)
declare void @__quantum__qis__mz__body(ptr, ptr writeonly) #1
declare i1 @__quantum__rt__read_result(ptr)
declare void @__quantum__rt__result_record_output(ptr, ptr)

attributes #0 = { "entry_point" "output_labeling_schema" "qir_profiles"="adaptive_profile" "required_num_qubits"="3" "required_num_results"="3" }
attributes #1 = { "irreversible" }

!llvm.module.flags = !{!0, !1, !2, !3}
!0 = !{i32 1, !"qir_major_version", i32 1}
!1 = !{i32 7, !"qir_minor_version", i32 0}
!2 = !{i32 1, !"dynamic_qubit_management", i1 false}
!3 = !{i32 1, !"dynamic_result_management", i1 false}
