(** * shapley-split is not truthful: one buyer and one seller share the surplus in halves

    The seller's price is c + (3 - c)/2: saying 2 in place of 1 it earns 1/2 more.  A smaller gain, or more samples, move it too. *)
From Coq Require Import Reals Lra Psatz Bool List Arith Permutation Lia.
From MarketKernel Require Import base.Num base.Sets base.RealNumbers market.Market market.Facts market.SqrtLaw market.Exact market.Shapley.
From MarketKernel Require Import refuted.Roots refuted.Pair.
Import ListNotations.
Local Open Scope R_scope.

Section Any.
Variable sel : types reals -> nat -> list nat.
Hypothesis exact : exact_rule reals (free 2) sel.
(** Both orders of an importer and at most one seller. *)
Definition both_orders (r : types reals) (i : nat) : list (list nat) := [i :: sel r i; rev (i :: sel r i)].
Lemma both_are_orders : are_orders reals sel both_orders.
Proof. intros r i. split; [discriminate|]. intros o [<-|[<-|[]]]; [apply Permutation_refl|apply Permutation_sym, Permutation_rev]. Qed.
Lemma half_each (r : types reals) g : valid (free 2) r -> rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g ->
  shapley_price reals (free 2) both_orders r 0 1 = (g + cost r 1%nat) / 2.
Proof.
  intros V G H. unfold shapley_price, phi, both_orders. rewrite (buys_it sel exact r g G H). cbn [rev app sum count adds Nat.eqb].
  unfold worth. cbn [mem existsb Nat.eqb orb without filter negb]. rewrite !objective_one, !objective_none, G. cbn. lra.
Qed.
Theorem shapley_not_dsic_gain : ~ dsic_gain (free 2) (shapley_split reals (free 2) sel both_orders).
Proof. apply (pair_not_dsic_gain _ _ (fun g c => (g + c) / 2)); intros; try lra; eauto using buys_it, buys_nothing, half_each. Qed.
Theorem shapley_not_dsic_size : ~ dsic_size (free 2) (shapley_split reals (free 2) sel both_orders).
Proof. apply (pair_not_dsic_size _ _ (fun g c => (g + c) / 2)); intros; try lra; eauto using buys_it, buys_nothing, half_each. Qed.
Theorem shapley_not_dsic_cost : ~ dsic_cost (free 2) (shapley_split reals (free 2) sel both_orders).
Proof.
  intro D. set (t := buyer_and_seller 300). specialize (D t t 1%nat 2 ltac:(cbn; lia)).
  assert (U : forall c, 0 < c < 3 -> utility (free 2) (shapley_split reals (free 2) sel both_orders) t (set_cost t 1 c) 1 = (3 + c) / 2 - 1).
  { intros c Hc. unfold shapley_split. rewrite (seller_utility sel _ (fun g c => (g + c) / 2) (fun r g _ => buys_it sel exact r g) (fun r _ => buys_nothing sel exact r) half_each t (set_cost t 1 c) 3); cbn; try lra.
    - said_valid.
    - apply (law_at _ _ _ 6 3); lra. }
  rewrite (U 2), (U (cost t 1%nat)) in D by (cbn; lra). apply le_R in D. cbn in D. lra.
Qed.
End Any.
