(** * Canonical rationals are numbers; here the definitions compute *)
From Coq Require Import QArith Qcanon Bool List.
From MarketKernel Require Import base.Num.
Import ListNotations.
Local Open Scope Qc_scope.
Definition Qcleb (x y : Qc) : bool := Qle_bool (this x) (this y).
Lemma Qcleb_le x y : Qcleb x y = true <-> x <= y.
Proof. apply Qle_bool_iff. Qed.
Definition rationals : num.
Proof.
  refine (Num Qc 0 1 Qcplus Qcmult Qcminus Qcopp Qcdiv Qcinv Qcleb Qcft _ _ _ _ _).
  all: intros *; rewrite ?Qcleb_le.
  - apply Qcle_antisym.
  - apply Qcle_trans.
  - intro H. destruct (Qclt_le_dec y x) as [F|F]; [now apply Qclt_le_weak|]. apply Qcleb_le in F. congruence.
  - intro H. apply Qcplus_le_compat; [assumption|apply Qcle_refl].
  - intros Hx Hy. replace (Q2Qc 0) with (0 * y) by ring. now apply Qcmult_le_compat_r.
Defined.

(** A table: (x0,y0) then slopes between knots, flat after the last; the first line goes on to the left *)
Fixpoint table (x0 y0 : Qc) (rest : list (Qc * Qc)) (x : Qc) : Qc :=
  match rest with
  | [] => y0
  | (x1, y1) :: t =>
      match t with
      | [] => if Qcleb x x1 then y0 + (y1 - y0) / (x1 - x0) * (x - x0) else y1
      | _ => if Qcleb x x1 then y0 + (y1 - y0) / (x1 - x0) * (x - x0) else table x1 y1 t x
      end
  end.
