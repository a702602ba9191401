(** * Tools for refutations at the paper's law: small markets over the reals without penalty, roots that are rational *)
From Coq Require Import Reals Lra Psatz Bool List Arith Lia.
From MarketKernel Require Import base.Num base.Sets base.RealNumbers market.Market market.Facts market.SqrtLaw market.Exact.
Import ListNotations.
Local Open Scope R_scope.

(** m clients, sizes as reported, no penalty. *)
Definition free (m : nat) : market reals := sqrt_market m (@plain reals) (fun _ _ => 0) 0.
Lemma free_valid m : valid_market (free m).
Proof.
  split; [|split]; [apply le_R; cbn; lra|intros; apply le_R; cbn; lra|].
  intros n H i j _ Hj. apply (base.Num.lt_le reals), H, Hj.
Qed.
Lemma free_pen m r i j : pen (free m) r i j = 0.
Proof. unfold pen. cbn. unfold Rdiv. ring. Qed.
Lemma free_weight m r i j : weight (free m) r i j = cost r j.
Proof. unfold weight. rewrite free_pen. cbn. ring. Qed.
Lemma objective_none m (r : types reals) i : objective (free m) r i [] = 0.
Proof. unfold objective, value, data. cbn. unfold rlaw. rewrite Rplus_0_r. lra. Qed.
Lemma objective_one m (r : types reals) i j : objective (free m) r i [j] = rlaw (gain r i) (size r i) (size r i + size r j) - cost r j.
Proof.
  unfold objective. cbn [sum]. rewrite free_weight. unfold value, data, samples. cbn. unfold plain. rewrite !Rplus_0_r. reflexivity.
Qed.
Lemma objective_two m (r : types reals) i j k : objective (free m) r i [j; k] = rlaw (gain r i) (size r i) (size r i + (size r j + size r k)) - (cost r j + cost r k).
Proof.
  unfold objective. cbn [sum]. rewrite !free_weight. unfold value, data, samples. cbn. unfold plain. rewrite !Rplus_0_r. reflexivity.
Qed.
(** Roots of squares. *)
Lemma law_at (K n x a b g : R) : 0 <= a -> 0 <= b -> K / n = a * a -> K / x = b * b -> g = a - b -> rlaw K n x = g.
Proof. intros Ha Hb E F ->. unfold rlaw. now rewrite E, F, !sqrt_square. Qed.
Lemma law_no_gain (n x : R) : rlaw 0 n x = 0.
Proof. unfold rlaw. assert (Z : forall z, 0 / z = 0) by (intro; unfold Rdiv; ring). rewrite !Z. ring. Qed.
