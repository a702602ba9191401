(** * Truth in two parts

    Under posted and pooled prices what a client earns reads its own cost only and what it buys its own gain and size only.
    Then truth part by part is truth in all of them at once.  Stated once, for both rules. *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts.
Import ListNotations.

Section Parts.
Variable N : num.
Add Field field_parts : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variable M : mechanism N.
Notation types := (types N).

(** Sales: best at the true cost; own gain is not read. *)
Definition sells_truthfully : Prop := forall th r i b, (i < clients E)%nat -> sold E M th (set_cost r i b) i <= sold E M th (set_cost r i (cost th i)) i.
Definition sales_ignore_gain : Prop := forall th r i b, (i < clients E)%nat -> sold E M th (set_gain r i b) i = sold E M th r i.
Definition sales_ignore_size : Prop := forall th r i b, (i < clients E)%nat -> sold E M th (set_size r i b) i = sold E M th r i.
(** Purchases: best at the true gain (and size); own cost is not read. *)
Definition buys_truthfully : Prop := forall th r i b, (i < clients E)%nat -> as_reported E th r i ->
  bought E M th (set_gain r i b) i <= bought E M th (set_gain r i (gain th i)) i.
Definition buys_truthfully_size : Prop := forall th r i k n, (i < clients E)%nat ->
  bought E M th (set_size (set_gain r i k) i n) i <= bought E M th (set_size (set_gain r i (gain th i)) i (size th i)) i.
Definition purchases_ignore_cost : Prop := forall th r i b, (i < clients E)%nat -> bought E M th (set_cost r i b) i = bought E M th r i.

Hypotheses (S : sells_truthfully) (B : purchases_ignore_cost).
Lemma parts_dsic_cost : dsic_cost E M.
Proof. intros th r i b Hi. unfold utility. rewrite !B by assumption. pose proof (S th r i b Hi) as H. slack1 H. Qed.
Hypothesis G : sales_ignore_gain.
Lemma parts_dsic_gain : buys_truthfully -> dsic_gain E M.
Proof. intros T th r i b Hi D. unfold utility. rewrite !G by assumption. pose proof (T th r i b Hi D) as H. slack1 H. Qed.
Lemma parts_dsic_cost_gain : buys_truthfully -> dsic_cost_gain E M.
Proof.
  intros T th r i c k Hi D. unfold utility. rewrite !G by assumption.
  pose proof (S th r i c Hi) as H. pose proof (T th (set_cost r i c) i k Hi D) as H'. pose proof (T th (set_cost r i c) i (gain th i) Hi D) as H2.
  assert (C : bought E M th (set_gain (set_cost r i c) i (gain th i)) i = bought E M th (set_gain (set_cost r i (cost th i)) i (gain th i)) i).
  { change (set_gain (set_cost r i c) i (gain th i)) with (set_cost (set_gain r i (gain th i)) i c).
    change (set_gain (set_cost r i (cost th i)) i (gain th i)) with (set_cost (set_gain r i (gain th i)) i (cost th i)).
    now rewrite !B. }
  rewrite C in H'. slack2 H H'.
Qed.
Lemma parts_dsic : sales_ignore_size -> buys_truthfully_size -> dsic E M.
Proof.
  intros Z T th r i c k n Hi. unfold utility, say. rewrite !Z, !G by assumption.
  pose proof (S th r i c Hi) as H. pose proof (T th (set_cost r i c) i k n Hi) as H'.
  assert (C : forall b, bought E M th (set_size (set_gain (set_cost r i b) i (gain th i)) i (size th i)) i =
                        bought E M th (set_size (set_gain r i (gain th i)) i (size th i)) i).
  { intro b. change (set_size (set_gain (set_cost r i b) i (gain th i)) i (size th i)) with
      (set_cost (set_size (set_gain r i (gain th i)) i (size th i)) i b). now rewrite B. }
  rewrite C in H'. rewrite C. slack2 H H'.
Qed.
Lemma dsic_size_of_dsic : dsic E M -> dsic_size E M.
Proof. intros D th r i n Hi. apply (D th r i (cost th i) (gain th i) n Hi). Qed.
End Parts.
Arguments sells_truthfully {_}. Arguments sales_ignore_gain {_}. Arguments sales_ignore_size {_}.
Arguments buys_truthfully {_}. Arguments buys_truthfully_size {_}. Arguments purchases_ignore_cost {_}.
