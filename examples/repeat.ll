; A loop with a counter, a function and memory: measure |+> eight times, count the ones.
source_filename = "repeat"

%Qubit = type opaque
%Result = type opaque

@n = internal constant [5 x i8] c"ones\00"

define void @main() #0 {
entry:
  %count = alloca i64, align 8
  store i64 0, i64* %count, align 8
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
  %more = icmp slt i64 %i, 8
  br i1 %more, label %body, label %end
body:
  %one = call i64 @flip(%Qubit* null)
  %old = load i64, i64* %count, align 8
  %new = add nsw i64 %old, %one
  store i64 %new, i64* %count, align 8
  %next = add nuw nsw i64 %i, 1
  br label %loop
end:
  %total = load i64, i64* %count, align 8
  call void @__quantum__rt__int_record_output(i64 %total, i8* getelementptr inbounds ([5 x i8], [5 x i8]* @n, i32 0, i32 0))
  ret void
}

define internal i64 @flip(%Qubit* %q) {
entry:
  call void @__quantum__qis__h__body(%Qubit* %q)
  call void @__quantum__qis__mresetz__body(%Qubit* %q, %Result* null)
  %b = call i1 @__quantum__qis__read_result__body(%Result* null)
  %one = zext i1 %b to i64
  ret i64 %one
}

declare void @__quantum__qis__h__body(%Qubit*)
declare void @__quantum__qis__mresetz__body(%Qubit*, %Result* writeonly)
declare i1 @__quantum__qis__read_result__body(%Result*)
declare void @__quantum__rt__int_record_output(i64, i8*)

attributes #0 = { "entry_point" "output_labeling_schema" "qir_profiles"="adaptive_profile" "required_num_qubits"="1" "required_num_results"="1" }
