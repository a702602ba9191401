(** * no-payment: the full graph, nothing is paid *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts.

Section NoPayment.
Variable N : num.
Add Field field_no_payment : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Definition no_payment : mechanism N := Mechanism (fun _ i => others E i) (fun _ _ _ => 0).
(** No report does anything: truthful in everything, balanced. *)
Theorem no_payment_constant th r r' i : utility E no_payment th r i = utility E no_payment th r' i.
Proof. reflexivity. Qed.
Theorem no_payment_dsic : dsic E no_payment.
Proof. intros th r i c k n _. apply le_refl. Qed.
Theorem no_payment_dsic_cost : dsic_cost E no_payment.
Proof. intros th r i b _. apply le_refl. Qed.
Theorem no_payment_dsic_gain : dsic_gain E no_payment.
Proof. intros th r i b _ _. apply le_refl. Qed.
Theorem no_payment_dsic_size : dsic_size E no_payment.
Proof. intros th r i b _. apply le_refl. Qed.
Theorem no_payment_balanced : balanced E no_payment.
Proof. apply bilateral_balance. intros r i _. split; [apply others_NoDup|intros j Hj; exact Hj]. Qed.
Theorem no_payment_monotone : monotone E no_payment.
Proof. intros r i k b _ _ _. exact (fun H => H). Qed.
Theorem no_payment_ir_buyer : starts_at_zero E -> rising E -> ir_buyer E no_payment.
Proof.
  intros Z R th r i VM V Hi D HK. unfold bought. cbn. rewrite sum_zero. destruct (V i Hi) as (Hn & _ & Hk). rewrite <- (value_true _ E th r i _ D HK).
  replace (_ - 0) with (value E r i (others E i)) by ring. rewrite <- (Z (gain r i) (size r i) Hk Hn). apply R; try assumption.
  apply sum_nonneg. intros j Hj. apply others_In in Hj. apply samples_nonneg; tauto.
Qed.
End NoPayment.
