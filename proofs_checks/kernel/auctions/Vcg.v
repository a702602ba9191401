(** * VCG with the Clarke pivot, on any finite set of outcomes

    Choose the outcome of highest total reported value, the first of equals; i pays what its presence costs the others. *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets.
Import ListNotations.

Section Vcg.
Variable N : num.
Add Field field_vcg : (num_field N).
Local Open Scope num_scope.
Variable A : Type.
(** Outcomes [first] and [rest]: at least one. *)
Variables (first : A) (rest : list A).
Variable agents : list nat.
Hypothesis distinct : NoDup agents.
Let outcomes := first :: rest.
Definition total (v : nat -> A -> N) (a : A) : N := sum (fun i => v i a) agents.
Definition without_i (v : nat -> A -> N) (i : nat) (a : A) : N := sum (fun k => v k a) (without i agents).
Definition chosen (v : nat -> A -> N) : A := argmax (total v) first rest.
Definition clarke (v : nat -> A -> N) (i : nat) : N :=
  without_i v i (argmax (without_i v i) first rest) - without_i v i (chosen v).
Definition report (v : nat -> A -> N) (i : nat) (w : A -> N) : nat -> A -> N := fun k => if Nat.eqb k i then w else v k.
(** u is i's true value of outcomes, w what it reports, v what the others report. *)
Definition vcg_utility (u : A -> N) (v : nat -> A -> N) (i : nat) (w : A -> N) : N :=
  u (chosen (report v i w)) - clarke (report v i w) i.

Lemma total_split v i a : In i agents -> total v a = v i a + without_i v i a.
Proof. intro Hi. apply (sum_without N (fun k => v k a) i agents distinct Hi). Qed.
Lemma report_others v i w a : without_i (report v i w) i a = without_i v i a.
Proof. apply sum_ext. intros k Hk. apply without_In in Hk as [_ D]. unfold report. destruct (Nat.eqb_spec k i); congruence. Qed.
Lemma report_self v i w a : report v i w i a = w a.
Proof. unfold report. now rewrite Nat.eqb_refl. Qed.
Lemma clarke_report v i w : clarke (report v i w) i = without_i v i (argmax (without_i v i) first rest) - without_i v i (chosen (report v i w)).
Proof.
  unfold clarke. rewrite !report_others. f_equal. f_equal. apply argmax_ext. intros; apply report_others.
Qed.
(** Truthful: i's utility is the total at its true value, less what it cannot move. *)
Theorem vcg_dsic u v i w : In i agents -> vcg_utility u v i w <= vcg_utility u v i u.
Proof.
  intro Hi. unfold vcg_utility. rewrite !clarke_report.
  assert (H : total (report v i u) (chosen (report v i w)) <= total (report v i u) (chosen (report v i u))).
  { apply argmax_best, argmax_In. }
  rewrite !(total_split _ i _ Hi), !report_others in H. rewrite !report_self in H. slack1 H.
Qed.
(** A truthful agent loses nothing where its values are not negative. *)
Theorem vcg_ir u v i : In i agents -> (forall a, In a outcomes -> 0 <= u a) -> 0 <= vcg_utility u v i u.
Proof.
  intros Hi P. unfold vcg_utility. rewrite clarke_report. set (b := argmax (without_i v i) first rest).
  assert (Hb : In b outcomes) by apply argmax_In.
  assert (H : total (report v i u) b <= total (report v i u) (chosen (report v i u))) by (now apply argmax_best).
  rewrite !(total_split _ i _ Hi), !report_others in H. rewrite !report_self in H.
  pose proof (P b Hb) as Pb. slack2 H Pb.
Qed.
(** Nobody is paid: the centre never has a deficit. *)
Theorem vcg_no_deficit v : 0 <= sum (clarke v) agents.
Proof. apply sum_nonneg. intros i _. unfold clarke. apply le_diff, argmax_best, argmax_In. Qed.
(** Efficient for the reported values. *)
Theorem vcg_efficient v a : In a outcomes -> total v a <= total v (chosen v).
Proof. apply argmax_best. Qed.
End Vcg.
