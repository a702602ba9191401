(** * The paper's gain law, sqrt(K/n) - sqrt(K/x), has falling increments *)
From Coq Require Import Reals Lra Psatz Bool List.
From MarketKernel Require Import base.Num base.Sets base.RealNumbers market.Market.
Local Open Scope R_scope.
Definition rlaw (K n x : R) : R := sqrt (K / n) - sqrt (K / x).
Lemma step_form x d : 0 < x -> 0 <= d -> / sqrt x - / sqrt (x + d) = d / (sqrt x * sqrt (x + d) * (sqrt x + sqrt (x + d))).
Proof.
  intros Hx Hd. assert (0 < sqrt x) by now apply sqrt_lt_R0. assert (0 < sqrt (x + d)) by (apply sqrt_lt_R0; lra).
  assert (E : d = sqrt (x + d) * sqrt (x + d) - sqrt x * sqrt x) by (rewrite !sqrt_sqrt; lra).
  rewrite E at 2. field. repeat split; lra.
Qed.
Lemma step_falls x a d : 0 < x -> 0 <= a -> 0 <= d -> / sqrt (x + a) - / sqrt (x + a + d) <= / sqrt x - / sqrt (x + d).
Proof.
  intros Hx Ha Hd. rewrite !step_form by lra. unfold Rdiv. apply Rmult_le_compat_l; [assumption|].
  assert (0 < sqrt x) by now apply sqrt_lt_R0. assert (0 < sqrt (x + d)) by (apply sqrt_lt_R0; lra).
  assert (sqrt x <= sqrt (x + a)) by (apply sqrt_le_1; lra). assert (sqrt (x + d) <= sqrt (x + a + d)) by (apply sqrt_le_1; lra).
  apply Rinv_le_contravar.
  - repeat apply Rmult_lt_0_compat; lra.
  - apply Rmult_le_compat; try lra; [apply Rmult_le_pos; lra|]. apply Rmult_le_compat; lra.
Qed.
Lemma step_strict x a d : 0 < x -> 0 < a -> 0 < d -> / sqrt (x + a) - / sqrt (x + a + d) < / sqrt x - / sqrt (x + d).
Proof.
  intros Hx Ha Hd. rewrite !step_form by lra. unfold Rdiv. apply Rmult_lt_compat_l; [assumption|].
  assert (0 < sqrt x) by now apply sqrt_lt_R0. assert (0 < sqrt (x + d)) by (apply sqrt_lt_R0; lra).
  assert (sqrt x < sqrt (x + a)) by (apply sqrt_lt_1; lra). assert (sqrt (x + d) < sqrt (x + a + d)) by (apply sqrt_lt_1; lra).
  assert (P : sqrt x * sqrt (x + d) < sqrt (x + a) * sqrt (x + a + d)) by nra.
  assert (0 < sqrt x * sqrt (x + d)) by nra.
  apply Rinv_lt_contravar; [repeat apply Rmult_lt_0_compat; lra|].
  apply Rmult_gt_0_lt_compat; lra.
Qed.
Lemma rlaw_diff K n x y : 0 <= K -> 0 < x -> 0 < y -> rlaw K n y - rlaw K n x = sqrt K * (/ sqrt x - / sqrt y).
Proof. intros HK Hx Hy. unfold rlaw. rewrite (sqrt_div_alt K x), (sqrt_div_alt K y) by lra. unfold Rdiv. ring. Qed.
Definition sqrt_market (m : nat) (e : (nat -> R) -> nat -> nat -> R) (d : nat -> nat -> R) (l : R) : market reals := @Market reals m rlaw e d l.

Theorem sqrt_falling m e d l : falling (sqrt_market m e d l).
Proof.
  intros K n x a b HK Hn Hx Ha Hb. apply le_R in HK, Ha, Hb. apply lt_R in Hn, Hx. apply le_R. cbn in *.
  rewrite !rlaw_diff by lra. apply Rmult_le_compat_l; [apply sqrt_pos|]. now apply step_falls.
Qed.
Theorem sqrt_starts m e d l : starts_at_zero (sqrt_market m e d l).
Proof. intros K n _ _. cbn. unfold rlaw. ring. Qed.
Theorem sqrt_rising m e d l : rising (sqrt_market m e d l).
Proof.
  intros K n x b HK Hn Hx Hb. apply le_R in HK, Hb. apply lt_R in Hn, Hx. apply le_R. cbn in *.
  apply Rminus_le. enough (0 <= rlaw K n (x + b) - rlaw K n x) by lra.
  rewrite rlaw_diff by lra. apply Rmult_le_pos; [apply sqrt_pos|]. rewrite step_form by lra.
  assert (0 < sqrt x) by now apply sqrt_lt_R0. assert (0 < sqrt (x + b)) by (apply sqrt_lt_R0; lra).
  apply Rmult_le_pos; [assumption|]. left. apply Rinv_0_lt_compat. repeat apply Rmult_lt_0_compat; lra.
Qed.
(** The tangents of the paper's law lie above it: at x0 = z z the slope is sqrt K / (2 z^3). *)
Theorem sqrt_tangent K n z x : 0 <= K -> 0 < z -> 0 < x ->
  rlaw K n x <= (sqrt (K / n) - 3 * sqrt K / (2 * z)) + sqrt K / (2 * (z * z * z)) * x.
Proof.
  intros HK Hz Hx. unfold rlaw. rewrite (sqrt_div_alt K x) by assumption. assert (Y : 0 < sqrt x) by now apply sqrt_lt_R0.
  assert (X : x = sqrt x * sqrt x) by (symmetry; apply sqrt_sqrt; lra). rewrite X at 2. set (y := sqrt x) in *. set (k := sqrt K). assert (Hk : 0 <= k) by apply sqrt_pos.
  apply Rminus_le. replace (_ - _) with (- (k * ((y - z) * (y - z)) * (y + 2 * z) * / (2 * y * (z * z * z)))) by (field; split; lra).
  enough (0 <= k * ((y - z) * (y - z)) * (y + 2 * z) * / (2 * y * (z * z * z))) by lra.
  apply Rmult_le_pos; [apply Rmult_le_pos; [apply Rmult_le_pos; [assumption|apply Rle_0_sqr]|lra]|]. left. apply Rinv_0_lt_compat.
  repeat apply Rmult_lt_0_compat; lra.
Qed.
