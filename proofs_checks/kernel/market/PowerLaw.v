(** * Power laws: (K/n)^e - (K/x)^e with any exponent e > 0 starts at zero, rises, and its increments fall

    e = 1/2 is the paper's law, e = 1 is K/n - K/x.  x^-e is convex: the drop over a step of d falls as x grows. *)
From Coq Require Import Reals Rpower Lra Psatz Bool List.
From MarketKernel Require Import base.Num base.Sets base.RealNumbers market.Market.
Local Open Scope R_scope.

Section Power.
Variable e : R.
Hypothesis He : 0 < e.
(** x^-e; and K^e, which Coq's power, exp(e ln K), does not give at K = 0. *)
Definition decay (x : R) : R := Rpower x (- e).
Definition scale (K : R) : R := if Rlt_dec 0 K then Rpower K e else 0.
Definition power_law (K n x : R) : R := scale K * (decay n - decay x).
Lemma scale_nonneg K : 0 <= scale K.
Proof. unfold scale. destruct (Rlt_dec 0 K); [left; apply exp_pos|apply Rle_refl]. Qed.
Lemma power_falls a x y : 0 < a -> 0 < x -> x <= y -> Rpower y (- a) <= Rpower x (- a).
Proof.
  intros Ha Hx H. rewrite !Rpower_Ropp. apply Rinv_le_contravar; [apply exp_pos|]. apply Rle_Rpower_l; lra.
Qed.
Lemma drop_falls d x y : 0 <= d -> 0 < x -> x <= y -> decay y - decay (y + d) <= decay x - decay (x + d).
Proof.
  intros Hd Hx [H|<-]; [|apply Rle_refl].
  destruct (MVT_cor2 (fun z => decay z - decay (z + d)) (fun z => - e * Rpower z (- e - 1) - - e * Rpower (z + d) (- e - 1)) x y H) as (c & E & Hc).
  - intros z Hz. apply derivable_pt_lim_minus.
    + apply derivable_pt_lim_power. lra.
    + replace (- e * Rpower (z + d) (- e - 1)) with (- e * Rpower (z + d) (- e - 1) * 1) by ring.
      apply (derivable_pt_lim_comp (fun z => z + d) decay z 1 (- e * Rpower (z + d) (- e - 1))).
      * replace 1 with (1 + 0) by ring. apply derivable_pt_lim_plus; [apply derivable_pt_lim_id|apply derivable_pt_lim_const].
      * apply derivable_pt_lim_power. lra.
  - assert (P : Rpower (c + d) (- e - 1) <= Rpower c (- e - 1)).
    { replace (- e - 1) with (- (e + 1)) by ring. apply power_falls; lra. }
    cbv beta in E. set (p := Rpower c (- e - 1)) in *. set (q := Rpower (c + d) (- e - 1)) in *.
    assert (A : 0 <= e * (p - q)) by (apply Rmult_le_pos; lra). assert (B : 0 <= e * (p - q) * (y - x)) by (apply Rmult_le_pos; lra). lra.
Qed.
Definition power_market (m : nat) (cr : (nat -> R) -> nat -> nat -> R) (d : nat -> nat -> R) (l : R) : market reals := @Market reals m power_law cr d l.
Theorem power_starts m cr d l : starts_at_zero (power_market m cr d l).
Proof. intros K n _ _. cbn. unfold power_law. ring. Qed.
Theorem power_rising m cr d l : rising (power_market m cr d l).
Proof.
  intros K n x b HK Hn Hx Hb. apply le_R in Hb. apply lt_R in Hx. apply le_R. cbn in *. unfold power_law.
  apply Rmult_le_compat_l; [apply scale_nonneg|]. assert (decay (x + b) <= decay x) by (apply power_falls; lra). lra.
Qed.
Theorem power_falling m cr d l : falling (power_market m cr d l).
Proof.
  intros K n x a b HK Hn Hx Ha Hb. apply le_R in Ha, Hb. apply lt_R in Hx. apply le_R. cbn in *. unfold power_law.
  pose proof (scale_nonneg K) as S. pose proof (drop_falls b x (x + a) Hb Hx ltac:(lra)) as D.
  pose proof (Rmult_le_compat_l _ _ _ S D) as P. lra.
Qed.
End Power.
