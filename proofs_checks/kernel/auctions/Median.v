(** * The median vote

    2k + 1 agents report peaks on a line, the decision is the median.  With single-peaked preferences nobody gains by
    a false peak. *)
From Coq Require Import List Arith Bool Lia.
From MarketKernel Require Import base.Num base.Sets base.Rank market.Market market.Facts.

Section Median.
Variable N : num.
Local Open Scope num_scope.
Variable agents : list nat.
Hypothesis distinct : NoDup agents.
Variable k : nat. (** how many stand below the decision; the lower median of n agents has k = (n - 1) / 2 *)
Hypothesis enough : (k < length agents)%nat.

Definition median (f : nat -> N) : N := match next N f agents k with Some j => f j | None => 0 end.
(** A preference over decisions with peak p: on either side of p, nearer is at least as good. *)
Definition single_peaked (u : N -> N) (p : N) : Prop :=
  (forall x y, x <= y -> y <= p -> u x <= u y) /\ (forall x y, p <= y -> y <= x -> u x <= u y).

Definition below (f : nat -> N) (m : N) : nat := length (filter (fun j => negb (leb m (f j))) agents).
Definition above (f : nat -> N) (m : N) : nat := length (filter (fun j => negb (leb (f j) m)) agents).
Lemma count_split (p : nat -> bool) l : (length (filter p l) + length (filter (fun j => negb (p j)) l) = length l)%nat.
Proof. induction l as [|a t IH]; cbn; [reflexivity|]. destruct (p a); cbn; lia. Qed.
Lemma ahead_count f j : In j agents -> (length (filter (fun a => negb (cheaper N f a j) && negb (Nat.eqb a j)) agents) = length agents - S (rank N f agents j))%nat.
Proof.
  intro Hj. pose proof (count_split (fun a => cheaper N f a j) agents) as S1. cbv beta in S1. fold (rank N f agents j) in S1.
  assert (G : forall l, NoDup l -> In j l -> (length (filter (fun a => negb (cheaper N f a j)) l) = S (length (filter (fun a => negb (cheaper N f a j) && negb (Nat.eqb a j)) l)))%nat).
  { induction l as [|a t IH]; intros Hn Ha; [destruct Ha|]. inversion_clear Hn. cbn. destruct (Nat.eqb_spec a j) as [->|Da].
    - rewrite cheaper_irrefl. cbn. f_equal. f_equal. apply filter_ext_in. intros c Hc. destruct (Nat.eqb_spec c j) as [->|]; [contradiction|]. now rewrite andb_true_r.
    - destruct Ha as [->|Ha]; [congruence|]. rewrite andb_true_r. destruct (cheaper N f a j); cbn; rewrite (IH H0 Ha); reflexivity. }
  rewrite (G agents distinct Hj) in S1. lia.
Qed.
(** At most k peaks lie below the median, and fewer than n - k above. *)
Lemma median_counts f : (below f (median f) <= k)%nat /\ (above f (median f) + k < length agents)%nat.
Proof.
  unfold median. destruct (next_exists N f agents k distinct enough) as [j F]. rewrite F. apply next_spec in F as [Hj Rj]. split.
  - rewrite <- Rj. apply count_le. intros a _ H. apply negb_true_iff in H. unfold cheaper. rewrite H.
    now rewrite (leb_total _ _ _ H).
  - pose proof (ahead_count f j Hj) as Q. rewrite Rj in Q.
    assert (above f (f j) <= length (filter (fun a => negb (cheaper N f a j) && negb (Nat.eqb a j)) agents))%nat.
    { apply count_le. intros a _ H. apply negb_true_iff in H. unfold cheaper. rewrite H. cbn. destruct (Nat.eqb_spec a j) as [->|]; [|reflexivity].
      exfalso. pose proof (le_refl N (f j)). unfold le in *. congruence. }
    lia.
Qed.
(** Who is below the median does not move it down, who is above it does not move it up. *)
Lemma not_down f g i : (forall j, j <> i -> f j = g j) -> f i < median f -> median f <= median g.
Proof.
  intros E H. destruct (le_or_lt N (median f) (median g)) as [|F]; [assumption|exfalso].
  destruct (median_counts f) as [B _]. destruct (median_counts g) as [_ A]. unfold below in B. unfold above in A.
  pose proof (count_split (fun j => negb (leb (median f) (f j))) agents) as S1. cbv beta in S1.
  assert (Q : (length (filter (fun j => negb (negb (leb (median f) (f j)))) agents) <= length (filter (fun j => negb (leb (g j) (median g))) agents))%nat).
  { apply count_le. intros j _ L. rewrite negb_involutive in L. destruct (Nat.eq_dec j i) as [->|D]; [unfold lt in H; congruence|].
    rewrite <- (E j D). apply negb_true_iff. apply (lt_le_trans N _ (median f)); [exact F|exact L]. }
  lia.
Qed.
Lemma not_up f g i : (forall j, j <> i -> f j = g j) -> median f < f i -> median g <= median f.
Proof.
  intros E H. destruct (le_or_lt N (median g) (median f)) as [|F]; [assumption|exfalso].
  destruct (median_counts f) as [_ A]. destruct (median_counts g) as [B _]. unfold below in B. unfold above in A.
  pose proof (count_split (fun j => negb (leb (f j) (median f))) agents) as S1. cbv beta in S1.
  assert (Q : (length (filter (fun j => negb (negb (leb (f j) (median f)))) agents) <= length (filter (fun j => negb (leb (median g) (g j))) agents))%nat).
  { apply count_le. intros j _ L. rewrite negb_involutive in L. destruct (Nat.eq_dec j i) as [->|D]; [unfold lt in H; congruence|].
    rewrite <- (E j D). apply negb_true_iff. apply (le_lt_trans N _ (median f)); [exact L|exact F]. }
  lia.
Qed.
(** Truthful: with a single-peaked preference of peak p no report is better than p, whatever the others report. *)
Theorem median_dsic f i b u p : single_peaked u p -> u (median (put f i b)) <= u (median (put f i p)).
Proof.
  intros [L R]. set (t := put f i p). assert (E : forall j, j <> i -> t j = put f i b j) by (intros; unfold t; now rewrite !put_other).
  assert (P : t i = p) by apply put_same. destruct (le_or_lt N p (median t)) as [H|H].
  - destruct (le_or_lt N (median t) p) as [H'|H'].
    + assert (M : median t = p) by (now apply (le_anti N)). rewrite M. destruct (le_or_lt N (median (put f i b)) p) as [Q|Q].
      * apply L; [exact Q|apply le_refl].
      * apply R; [apply le_refl|now apply lt_le].
    + apply R; [exact H|]. apply not_down with i; [exact E|]. now rewrite P.
  - apply L; [|now apply lt_le]. apply not_up with i; [exact E|]. now rewrite P.
Qed.
End Median.
