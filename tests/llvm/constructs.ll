; every construct that the printer of the tests can print again
source_filename = "a\22b"
target datalayout = "e-m:e-i64:64"
target triple = "x86_64-unknown-linux-gnu"
module asm ".globl nothing"
$any = comdat any
%pair = type { i64, { double, [2 x i8] } }
%"odd name" = type opaque
%packed = type <{ i8, i64 }>
%empty = type {}
@text = private unnamed_addr constant [6 x i8] c"a\5C\22\00\FFz", align 1
@zero = internal global %pair zeroinitializer
@outside = external global ptr
@near = dso_local thread_local(initialexec) global i32 -5, section "data", comdat($any), align 4
@table = constant [2 x ptr] [ptr @outside, ptr null]
@numbers = constant <2 x float> <float 1.0, float 0x3FB99999A0000000>
@nested = constant { [1 x { i1, i8 }], double } { [1 x { i1, i8 }] [{ i1, i8 } { i1 true, i8 200 }], double -1.5e-3 }
@tight = constant <{ i8, i64 }> <{ i8 1, i64 2 }>
@far = addrspace(3) global i32 undef
@sum = constant i64 sub (i64 ptrtoint (ptr @zero to i64), i64 ptrtoint (ptr @table to i64))
@inside = constant ptr getelementptr inbounds (%pair, ptr @zero, i64 0, i32 1, i32 1, i64 1)
@other = alias i32, ptr @near
@"quoted \22name\22" = constant half 0xH3C00
@1 = constant i128 -170141183460469231731687303715884105728
declare i32 @personality(...)
declare void @takes(ptr noundef nonnull align 8 dereferenceable(16), i64 zeroext, ...) #0
declare dllexport zeroext i1 @flag() local_unnamed_addr
declare fastcc double @llvm.pow.f64(double, double) #1

define internal fastcc noundef i64 @arithmetic(i64 noundef %a, i64 %b, double %x) unnamed_addr #0 section "text" align 16 {
entry:
  %s = add nuw nsw i64 %a, %b
  %d = sub i64 %s, -1
  %m = mul nsw i64 %d, 9223372036854775807
  %u = udiv exact i64 %m, 3
  %q = sdiv i64 %u, %a
  %r = urem i64 %q, 7
  %t = srem i64 %r, 7
  %l = shl i64 %t, 1
  %lr = lshr exact i64 %l, 1
  %ar = ashr i64 %lr, 2
  %an = and i64 %ar, 255
  %o = or disjoint i64 %an, 256
  %xo = xor i64 %o, -1
  %fa = fadd fast double %x, 1.0
  %fs = fsub nnan ninf double %fa, 0.1
  %fm = fmul double %fs, 0x400921FB54442D18
  %fd = fdiv reassoc double %fm, 2.5e+10
  %fr = frem double %fd, -0.0
  %fn = fneg nsz double %fr
  %c1 = icmp slt i64 %xo, 0
  %c2 = fcmp olt double %fn, 0.0
  %c3 = fcmp fast une double %fn, %x
  %c4 = fcmp true double %fn, %x
  %c5 = icmp eq ptr @zero, null
  %both = and i1 %c1, %c2
  %sel = select i1 %both, i64 %xo, i64 undef
  %fsel = select fast i1 %c3, double 1.0, double %x
  %fz = freeze i64 %sel
  ret i64 %fz
}

define i8 @conversions(i64 %a, double %x, ptr %p, float %f) {
  %1 = trunc i64 %a to i8
  %2 = zext nneg i8 %1 to i32
  %3 = sext i8 %1 to i32
  %4 = fptrunc double %x to float
  %5 = fpext float %f to double
  %6 = fptoui double %x to i64
  %7 = fptosi double %x to i64
  %8 = uitofp i64 %a to double
  %9 = sitofp i64 %a to float
  %10 = ptrtoint ptr %p to i64
  %11 = inttoptr i64 %a to ptr
  %12 = bitcast double %x to i64
  %13 = addrspacecast ptr %p to ptr addrspace(3)
  ret i8 %1
}

define { i64, double } @structures(ptr %0, %pair %1, <2 x i64> %v) {
  %3 = alloca %pair, align 8
  %4 = alloca i64, i32 4
  %5 = load %pair, ptr %3, align 8
  %6 = load volatile i64, ptr %4
  store %pair %5, ptr %3, align 8
  store volatile i64 7, ptr %4
  %7 = getelementptr inbounds %pair, ptr %3, i32 0, i32 1, i32 1, i64 %6
  %8 = getelementptr i8, ptr %7, i64 -1
  %9 = extractvalue %pair %1, 1, 1, 0
  %10 = insertvalue { i64, double } undef, i64 %6, 0
  %11 = insertvalue { i64, double } %10, double 1.0, 1
  %12 = extractelement <2 x i64> %v, i32 1
  %13 = insertelement <2 x i64> %v, i64 %12, i32 0
  %14 = shufflevector <2 x i64> %13, <2 x i64> poison, <2 x i32> <i32 1, i32 0>
  ret { i64, double } %11
}

define void @control(i64 %n, i1 %c) personality ptr @personality {
entry:
  br i1 %c, label %loop, label %"last one"

loop:                                             ; preds = %loop, %entry
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %next = add i64 %i, 1
  switch i64 %i, label %loop [
    i64 0, label %zero
    i64 -3, label %"last one"  ; a comment
  ]

zero:
  switch i64 %i, label %loop [ ]

"last one":
  %got = invoke i1 @flag()
          to label %fine unwind label %pad

pad:
  %lp = landingpad { ptr, i32 }
          cleanup
  resume { ptr, i32 } %lp

fine:
  call void (ptr, i64, ...) @takes(ptr noundef nonnull align 8 @zero, i64 zeroext %n, double 0.5) #0
  tail call void (ptr, i64, ...) @takes(ptr inttoptr (i64 3 to ptr), i64 ptrtoint (ptr @zero to i64))
  %p = notail call fast fastcc double @llvm.pow.f64(double 2.0, double %pf)
  br label %end, !llvm.loop !9
end:
  %pf = phi double [ 0.0, %fine ]
  unreachable
}

define ptr @numbers_go_on(i64, ptr) {
  %3 = call i1 @flag()
  br i1 %3, label %4, label %7

4:
  %5 = add i64 %0, 1
  %6 = add i64 %0, %5
  br label %7

7:
  ret ptr %1
}

attributes #0 = { nounwind "entry_point" "output_names"="[[0,\22a\22]]" memory(argmem: read) align=16 }
attributes #1 = { mustprogress allocsize(0,1) "k"="#0" }
!llvm.module.flags = !{!0, !1, !2}
!0 = !{i32 1, !"qir_major_version", i32 2}
!1 = !{i32 7, !"backwards_branching", i2 -1}
!2 = !{i32 5, !"int_computations", !{!"i64", null}}
!9 = distinct !{!9}
