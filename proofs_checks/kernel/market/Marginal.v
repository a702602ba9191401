(** * exact-marginal: exact selection, marginal payments *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Exact.

Section Marginal.
Variable N : num.
Add Field field_marginal : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variable sel : types N -> nat -> list nat.
Hypothesis exact : exact_rule N E sel.

(** p_ij = G_i(S) - G_i(S without j) - pen_ij. *)
Definition contribution (r : types N) (i j : nat) : N := marginal E r i (sel r i) j - pen E r i j.
Definition exact_marginal : mechanism N := Mechanism sel contribution.

(** Sellers lose nothing: the set without j is no better.  Any gain law. *)
Theorem exact_marginal_ir_seller : ir_seller E exact_marginal.
Proof.
  intros th r i _ _ Hi Hc. apply sum_nonneg. intros k _. cbn [exact_marginal buys price].
  destruct (mem i (sel r k)) eqn:B; [|apply le_refl]. apply mem_In in B. unfold contribution. rewrite <- Hc.
  assert (H := sel_best N E sel exact r k (without i (sel r k))
    (subsets_filter_sub _ _ _ (subsets_filter (fun j => negb (Nat.eqb i j)) _ _ (sel_in _ _ _ exact r k)))).
  unfold objective in H. rewrite (sum_without _ (weight E r k) i (sel r k) (sel_NoDup N E sel exact r k) B) in H.
  refine (lin1 _ _ _ _ _ H _). unfold marginal. change (weight E r k i) with (cost r i + pen E r k i). ring.
Qed.
(** Buyers lose nothing where the law has falling increments. *)
Theorem exact_marginal_ir_buyer : falling E -> starts_at_zero E -> ir_buyer E exact_marginal.
Proof.
  intros F Z. apply at_most_marginal_ir_buyer; [assumption|assumption|now apply sel_feasible|].
  intros r i j VM V Hi Hj. cbn [exact_marginal buys price] in *. apply (sel_incl N E sel exact), others_In in Hj.
  pose proof (pen_nonneg _ E r i j VM V Hi ltac:(tauto)) as P. unfold contribution. slack1 P.
Qed.
Theorem exact_marginal_ir : falling E -> starts_at_zero E -> ir E exact_marginal.
Proof. intros F Z. apply ir_parts; [now apply exact_marginal_ir_buyer|apply exact_marginal_ir_seller]. Qed.
Theorem exact_marginal_balanced : balanced E exact_marginal.
Proof. apply bilateral_balance. intro r. now apply sel_feasible. Qed.
Theorem exact_marginal_efficient : efficient E exact_marginal.
Proof. now apply exact_efficient. Qed.
Theorem exact_marginal_monotone : monotone E exact_marginal.
Proof. now apply exact_monotone. Qed.
End Marginal.
