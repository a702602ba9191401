(** * The reals of the standard library are numbers *)
From Coq Require Import Reals Lra Bool.
From MarketKernel Require Import base.Num.
Local Open Scope R_scope.
Definition Rleb (x y : R) : bool := if Rle_dec x y then true else false.
Lemma Rleb_le x y : Rleb x y = true <-> x <= y.
Proof. unfold Rleb. destruct (Rle_dec x y); split; intros; auto; try discriminate; contradiction. Qed.
Lemma Rleb_lt x y : Rleb x y = false <-> y < x.
Proof. unfold Rleb. destruct (Rle_dec x y); split; intros; auto; try discriminate; lra. Qed.
Definition reals : num.
Proof.
  refine (Num R 0 1 Rplus Rmult Rminus Ropp Rdiv Rinv Rleb Rfield _ _ _ _ _).
  all: intros *; rewrite ?Rleb_le, ?Rleb_lt.
  all: try lra. intros; nra.
Defined.
Lemma le_R (x y : R) : @le reals x y <-> (x <= y)%R.
Proof. apply Rleb_le. Qed.
Lemma lt_R (x y : R) : @lt reals x y <-> (x < y)%R.
Proof. apply Rleb_lt. Qed.
