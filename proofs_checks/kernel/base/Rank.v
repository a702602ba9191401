(** * Ranks: order statistics with ties by client order

    [cheaper f a b]: a asks less than b, or the same and stands before it.  [rank f l j] counts those of [l] ahead of j.
    Nobody moves the rank of others among themselves: what pooled prices, Vickrey's auction and McAfee's rest on. *)
From Coq Require Import List Arith Bool Permutation Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets.
Import ListNotations.

Section Rank.
Variable N : num.
Definition cheaper (f : nat -> N) (a b : nat) : bool := leb (f a) (f b) && (if leb (f b) (f a) then a <? b else true).
Definition rank (f : nat -> N) (l : list nat) (j : nat) : nat := length (filter (fun a => cheaper f a j) l).
Lemma cheaper_irrefl f a : cheaper f a a = false.
Proof. unfold cheaper. rewrite Nat.ltb_irrefl. now rewrite (le_refl N (f a)). Qed.
Lemma cheaper_trans f a b c : cheaper f a b = true -> cheaper f b c = true -> cheaper f a c = true.
Proof.
  unfold cheaper. rewrite !andb_true_iff. intros [H1 H2] [H3 H4]. split; [now apply (le_trans N _ (f b))|].
  destruct (leb (f c) (f a)) eqn:E; [|reflexivity].
  rewrite (le_trans N _ _ _ H3 E : leb (f b) (f a) = true) in H2. rewrite (le_trans N _ _ _ E H1 : leb (f c) (f b) = true) in H4.
  rewrite Nat.ltb_lt in *. lia.
Qed.
Lemma cheaper_total f a b : a <> b -> cheaper f a b = false -> cheaper f b a = true.
Proof.
  unfold cheaper. intros D. destruct (leb (f a) (f b)) eqn:A, (leb (f b) (f a)) eqn:B; cbn [andb]; try congruence.
  - rewrite Nat.ltb_ge, Nat.ltb_lt. lia.
  - intros _. pose proof (leb_total _ _ _ A). congruence.
Qed.
Lemma find_same (p q : nat -> bool) l : (forall a, In a l -> p a = q a) -> find p l = find q l.
Proof.
  induction l as [|a t IH]; intro H; [reflexivity|]. cbn. rewrite (H a (or_introl eq_refl)). destruct (q a); [reflexivity|].
  apply IH. intros; apply H; now right.
Qed.
Lemma count_le (p q : nat -> bool) l : (forall a, In a l -> p a = true -> q a = true) -> length (filter p l) <= length (filter q l).
Proof.
  induction l as [|x t IH]; intro H; [apply le_n|]. cbn. pose proof (IH (fun a Ha => H a (or_intror Ha))).
  destruct (p x) eqn:P; [rewrite (H x (or_introl eq_refl) P); cbn; lia|]. destruct (q x); cbn; lia.
Qed.
Lemma count_lt (p q : nat -> bool) l j : (forall a, In a l -> p a = true -> q a = true) -> In j l -> p j = false -> q j = true ->
  length (filter p l) < length (filter q l).
Proof.
  induction l as [|x t IH]; intros H Hj P Q; [destruct Hj|]. cbn. destruct Hj as [->|Hj].
  - rewrite P, Q. cbn. pose proof (count_le p q t (fun a Ha => H a (or_intror Ha))). lia.
  - pose proof (IH (fun a Ha => H a (or_intror Ha)) Hj P Q). destruct (p x) eqn:Px; [rewrite (H x (or_introl eq_refl) Px); cbn; lia|].
    destruct (q x); cbn; lia.
Qed.
Lemma rank_lt f l a b : In a l -> cheaper f a b = true -> rank f l a < rank f l b.
Proof. intros Ha H. apply count_lt with a; auto using cheaper_irrefl. intros c _ Hc. now apply (cheaper_trans f c a b). Qed.
Lemma rank_inj f l a b : In a l -> In b l -> rank f l a = rank f l b -> a = b.
Proof.
  intros Ha Hb E. destruct (Nat.eq_dec a b) as [|D]; [assumption|exfalso].
  destruct (cheaper f a b) eqn:C; [apply (rank_lt f l) in C; auto; lia|]. apply cheaper_total in C; [|assumption]. apply (rank_lt f l) in C; auto; lia.
Qed.
Lemma rank_without f l i j : NoDup l -> In i l -> rank f l j = rank f (without i l) j + (if cheaper f i j then 1 else 0).
Proof.
  intros Hn Hi. unfold rank. induction l as [|x t IH]; [destruct Hi|]. inversion_clear Hn. cbn [without filter].
  destruct (Nat.eqb_spec i x); cbn [negb].
  - subst. fold (without x t). rewrite without_absent by assumption. cbn. destruct (cheaper f x j); cbn; lia.
  - destruct Hi as [->|Hi]; [congruence|]. fold (without i t). cbn. specialize (IH H0 Hi). destruct (cheaper f x j); cbn; lia.
Qed.
Lemma rank_ext f g l j : (forall a, In a l -> f a = g a) -> f j = g j -> rank f l j = rank g l j.
Proof. intros H Hj. unfold rank. f_equal. apply filter_ext_in. intros a Ha. unfold cheaper. now rewrite Hj, (H a Ha). Qed.
End Rank.

(** The pool: the [w] of lowest rank; the next one: the one of rank [w], if there is one. *)
Section Pool.
Variable N : num.
Notation rank := (rank N).
Notation cheaper := (cheaper N).
Definition pool (f : nat -> N) (l : list nat) (w : nat) : list nat := filter (fun j => rank f l j <? w) l.
Definition next (f : nat -> N) (l : list nat) (w : nat) : option nat := find (fun j => rank f l j =? w) l.
Lemma next_spec f l w j : next f l w = Some j -> In j l /\ rank f l j = w.
Proof. intro H. apply find_some in H. now rewrite Nat.eqb_eq in H. Qed.
Lemma pool_ext f g l w : (forall a, In a l -> f a = g a) -> pool f l w = pool g l w.
Proof. intro H. apply filter_ext_in. intros j Hj. now rewrite (rank_ext N f g l j H (H j Hj)). Qed.
Lemma next_ext f g l w : (forall a, In a l -> f a = g a) -> next f l w = next g l w.
Proof. intro H. apply find_same. intros j Hj. now rewrite (rank_ext N f g l j H (H j Hj)). Qed.

(** What i's own number can change: [f] and [g] agree on i's rivals. *)
Variables (l : list nat) (w i : nat) (f g : nat -> N).
Hypotheses (Hl : NoDup l) (Hi : In i l).
Let rivals := without i l.
Hypothesis same : forall j, j <> i -> f j = g j.
Lemma rival_rank j : j <> i -> rank f rivals j = rank g rivals j.
Proof. intro D. apply rank_ext; [|now apply same]. intros a Ha. apply without_In in Ha. apply same, Ha. Qed.
Lemma own_rank (h : nat -> N) j : rank h l j = rank h rivals j + (if cheaper h i j then 1 else 0).
Proof. now apply rank_without. Qed.
(** In the pool: the next one is the rival of rank w - 1 among the rivals, and i is ahead of it. *)
Lemma in_pool (h : nat -> N) j : In i (pool h l w) -> next h l w = Some j ->
  In j rivals /\ S (rank h rivals j) = w /\ cheaper h i j = true.
Proof.
  intros Hp Hn. apply filter_In in Hp as [_ Hp]. apply Nat.ltb_lt in Hp. apply next_spec in Hn as [Hj Hn].
  assert (D : j <> i) by (intros ->; lia).
  assert (C : cheaper h i j = true).
  { destruct (cheaper h i j) eqn:C; [reflexivity|]. apply cheaper_total in C; [|congruence].
    apply (rank_lt N h l) in C; [lia|assumption]. }
  split; [apply without_In; auto|]. split; [|assumption]. rewrite own_rank, C in Hn. lia.
Qed.
(** In the pool with both reports: the same next one, the same pool. *)
Lemma pool_same j j' : In i (pool f l w) -> next f l w = Some j -> In i (pool g l w) -> next g l w = Some j' ->
  j = j' /\ pool f l w = pool g l w.
Proof.
  intros P H P' H'. destruct (in_pool _ _ P H) as (Hj & Rj & C). destruct (in_pool _ _ P' H') as (Hj' & Rj' & C').
  assert (Dj : j <> i) by (apply without_In in Hj; tauto). rewrite rival_rank in Rj by assumption.
  assert (j = j') as <- by (apply (rank_inj N g rivals); auto; lia). split; [reflexivity|].
  apply filter_ext_in. intros k Hk. destruct (Nat.eq_dec k i) as [->|D].
  - apply filter_In in P as [_ ->]. now apply filter_In in P' as [_ ->].
  - rewrite !own_rank, !rival_rank by assumption. assert (Hk' : In k rivals) by (apply without_In; auto).
    destruct (Nat.eq_dec (S (rank g rivals k)) w) as [Q|Q].
    + assert (k = j) as -> by (apply (rank_inj N g rivals); auto; lia). now rewrite C, C'.
    + destruct (Nat.ltb_spec (rank g rivals k + (if cheaper f i k then 1 else 0)) w),
        (Nat.ltb_spec (rank g rivals k + (if cheaper g i k then 1 else 0)) w); auto;
        destruct (cheaper f i k), (cheaper g i k); lia.
Qed.
(** Ahead of the rival of rank w - 1: in the pool, and that rival is the next one. *)
Lemma enters j : In j rivals -> S (rank g rivals j) = w -> cheaper f i j = true ->
  In i (pool f l w) /\ next f l w = Some j.
Proof.
  intros Hj Rj C. pose proof Hj as Hj0. apply without_In in Hj as [Hj D].
  assert (Rb : rank f l j = w) by (rewrite own_rank, C, rival_rank by assumption; lia).
  split.
  - apply filter_In. split; [exact Hi|]. apply Nat.ltb_lt. rewrite <- Rb. now apply rank_lt.
  - unfold next. destruct (find (fun k => rank f l k =? w) l) as [k|] eqn:F.
    + apply next_spec in F as [Hk Rk]. f_equal. apply (rank_inj N f l); auto. congruence.
    + apply (find_none _ _ F) in Hj. cbn in Hj. rewrite Nat.eqb_neq in Hj. contradiction.
Qed.
End Pool.
(** Every rank below the number of agents is somebody's. *)
Section Count.
Variable N : num.
Notation rank := (rank N).
Lemma rank_below f l j : In j l -> rank f l j < length l.
Proof.
  intro Hj. unfold Rank.rank. apply Nat.lt_le_trans with (length (filter (fun _ => true) l)).
  - apply count_lt with j; auto. apply cheaper_irrefl.
  - clear Hj. induction l as [|a t IH]; cbn; lia.
Qed.
Lemma next_exists f l w : NoDup l -> w < length l -> exists j, next N f l w = Some j.
Proof.
  intros Hl Hw. assert (I : incl (seq 0 (length l)) (map (rank f l) l)).
  { apply NoDup_length_incl.
    - apply seq_NoDup || idtac. 
      + clear Hw. assert (G : forall s, incl s l -> NoDup s -> NoDup (map (rank f l) s)).
        { induction s as [|a t IH]; intros Hs Hn; cbn; [constructor|]. inversion_clear Hn. constructor.
          - rewrite in_map_iff. intros (c & Ec & Hc). apply (rank_inj N f l) in Ec; [subst; contradiction|apply Hs; now right|apply Hs; now left].
          - apply IH; [|assumption]. intros c Hc. apply Hs. now right. }
        now apply G.
    - rewrite map_length, seq_length. lia.
    - intros r Hr. apply in_map_iff in Hr as (a & <- & Ha). apply in_seq. pose proof (rank_below f l a Ha). lia. }
  assert (M : In w (map (rank f l) l)) by (apply I, in_seq; lia). apply in_map_iff in M as (j & Ej & Hj).
  unfold next. destruct (find (fun a => rank f l a =? w) l) as [a|] eqn:F; [eauto|].
  apply (find_none _ _ F) in Hj. cbn in Hj. rewrite Nat.eqb_neq in Hj. contradiction.
Qed.
End Count.
