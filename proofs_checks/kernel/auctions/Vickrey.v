(** * Vickrey's auction of k equal units with a reserve; second price is k = 1

    The k highest bidders win, ties to the first, if they bid the reserve; each pays the highest losing bid or the reserve. *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets base.Rank market.Market market.Facts auctions.Myerson.
Import ListNotations.

Section Vickrey.
Variable N : num.
Add Field field_vickrey : (num_field N).
Local Open Scope num_scope.
Variable agents : list nat.
Hypothesis distinct : NoDup agents.
Variable k : nat.
Hypothesis some_unit : (0 < k)%nat.
Variable reserve : N.

(** Falling bids are rising costs. *)
Definition fall (b : nat -> N) : nat -> N := fun j => 0 - b j.
Definition max2 (x y : N) : N := if leb x y then y else x.
Definition vickrey_wins (b : nat -> N) (i : nat) : bool := mem i (pool N (fall b) agents k) && leb reserve (b i).
Definition highest_losing (b : nat -> N) : N := match next N (fall b) agents k with Some j => max2 reserve (b j) | None => reserve end.
Definition vickrey : auction N := Auction N vickrey_wins (fun b i => if vickrey_wins b i then highest_losing b else 0).

Lemma max2_cases x y v : (max2 x y <= v <-> x <= v /\ y <= v).
Proof.
  unfold max2. destruct (leb x y) eqn:F; split; [|tauto| |tauto].
  - intro H. split; [now apply (le_trans N _ y)|assumption].
  - intro H. split; [assumption|]. apply (le_trans N _ x); [now apply leb_total|assumption].
Qed.
Lemma max2_left x y : x <= max2 x y.
Proof. now apply (max2_cases x y (max2 x y)), le_refl. Qed.
Lemma max2_right x y : y <= max2 x y.
Proof. now apply (max2_cases x y (max2 x y)), le_refl. Qed.
Theorem vickrey_critical : has_critical_values N vickrey agents any_number.
Proof.
  intros b i Hi. left. set (rivals := without i agents).
  assert (Hr : NoDup rivals) by now apply without_NoDup.
  assert (A : forall v w j, j <> i -> fall (put b i v) j = fall (put b i w) j) by (intros v w j D; unfold fall; now rewrite !put_other).
  destruct (Nat.lt_ge_cases (pred k) (length rivals)) as [L|L].
  - (* a rival of rank k - 1 among the rivals: beating it is winning *)
    set (w0 := @zero N). destruct (next_exists N (fall (put b i w0)) rivals (pred k) Hr L) as [j F]. apply next_spec in F as [Hj Rj].
    pose proof Hj as Hj'. apply without_In in Hj' as [_ D].
    exists (max2 reserve (b j)). intros v _. unfold vickrey; cbn [wins_ pays_]. unfold vickrey_wins. rewrite put_same.
    assert (Rv : S (rank N (fall (put b i w0)) rivals j) = k) by lia.
    destruct (cheaper N (fall (put b i v)) i j) eqn:C.
    + destruct (enters N agents k i _ _ distinct Hi (A v w0) j Hj Rv C) as [P X].
      apply mem_In in P. rewrite P. cbn [andb]. unfold highest_losing. rewrite X, put_other by assumption.
      apply andb_true_iff in C as [C _]. unfold fall in C. rewrite put_same, put_other in C by assumption.
      destruct (leb reserve v) eqn:R.
      * split; [|reflexivity]. apply max2_cases. split; [exact R|]. change (0 - v <= 0 - b j) in C. slack1 C.
      * split; [|reflexivity]. apply (le_trans N _ reserve); [now apply leb_total|apply max2_left].
    + replace (mem i (pool N (fall (put b i v)) agents k)) with false.
      * cbn [andb]. split; [|reflexivity]. apply cheaper_total in C; [|congruence]. apply andb_true_iff in C as [C _].
        unfold fall in C. rewrite put_same, put_other in C by assumption. change (0 - b j <= 0 - v) in C.
        apply (le_trans N _ (b j)); [slack1 C|apply max2_right].
      * symmetry. apply mem_not_In. intro P. apply filter_In in P as [_ P]. apply Nat.ltb_lt in P.
        apply cheaper_total in C; [|congruence]. apply without_In in Hj as [Hj _].
        pose proof (rank_lt N _ agents j i Hj C) as Q. rewrite (own_rank N agents i distinct Hi (fall (put b i v)) j) in Q.
        rewrite (rival_rank N agents i (fall (put b i v)) (fall (put b i w0)) (A v w0) j D) in Q. fold rivals in Q. lia.
  - (* no more agents than units: who bids the reserve wins at the reserve *)
    exists reserve. intros v _. unfold vickrey; cbn [wins_ pays_]. unfold vickrey_wins. rewrite put_same.
    assert (Len : (length agents <= k)%nat).
    { pose proof (count_le (fun _ => true) (fun _ => true) agents (fun _ _ H => H)).
      assert (G : forall l, NoDup l -> In i l -> length l = S (length (without i l))).
      { induction l as [|a t IH]; intros Hn H'; [destruct H'|]. inversion_clear Hn. cbn. destruct (Nat.eqb_spec i a) as [->|Da]; cbn.
        - fold (without a t). now rewrite without_absent.
        - destruct H' as [->|H']; [congruence|]. fold (without i t). now rewrite <- IH. }
      rewrite (G agents distinct Hi). fold rivals. lia. }
    replace (mem i (pool N (fall (put b i v)) agents k)) with true.
    + cbn [andb]. unfold highest_losing. destruct (next N (fall (put b i v)) agents k) as [j|] eqn:X.
      * apply next_spec in X as [Hj Rj]. pose proof (rank_below N (fall (put b i v)) agents j Hj). lia.
      * destruct (leb reserve v) eqn:R; split; try reflexivity; [exact R|now apply leb_total].
    + symmetry. apply mem_In, filter_In. split; [assumption|]. apply Nat.ltb_lt. pose proof (rank_below N (fall (put b i v)) agents i Hi). lia.
Qed.
(** Truthful, and a truthful bidder loses nothing. *)
Theorem vickrey_dsic : auction_dsic N vickrey agents any_number.
Proof. apply critical_values_dsic, vickrey_critical. Qed.
Theorem vickrey_ir : auction_ir N vickrey agents any_number.
Proof. apply critical_values_ir, vickrey_critical. Qed.
(** At most k win. *)
Theorem vickrey_units b : (length (filter (vickrey_wins b) agents) <= k)%nat.
Proof.
  apply Nat.le_trans with (length (pool N (fall b) agents k)).
  - unfold pool. apply count_le. intros a Ha W. unfold vickrey_wins in W. apply andb_true_iff in W as [W _]. apply mem_In, filter_In in W. tauto.
  - assert (I : incl (map (rank N (fall b) agents) (pool N (fall b) agents k)) (seq 0 k)).
    { intros r Hr. apply in_map_iff in Hr as (a & <- & Ha). apply filter_In in Ha as [_ Ha]. apply Nat.ltb_lt in Ha. apply in_seq. lia. }
    apply NoDup_incl_length in I; [rewrite map_length, seq_length in I; exact I|].
    assert (G : forall s, incl s agents -> NoDup s -> NoDup (map (rank N (fall b) agents) s)).
    { induction s as [|a t IH]; intros Hs Hn; cbn; [constructor|]. inversion_clear Hn. constructor.
      - rewrite in_map_iff. intros (c & Ec & Hc). apply (rank_inj N (fall b) agents) in Ec; [subst; contradiction|apply Hs; now right|apply Hs; now left].
      - apply IH; [|assumption]. intros c Hc. apply Hs. now right. }
    apply G; [apply incl_filter|apply NoDup_filter; exact distinct].
Qed.
End Vickrey.
(** Second price: one unit. *)
Definition second_price (N : num) (agents : list nat) (reserve : N) : auction N := vickrey N agents 1 reserve.
(** One item offered at a price to the agents in their order: the first whose bid exceeds the price takes it. *)
Definition in_turn (N : num) (agents : list nat) (price : N) : auction N :=
  let wins b i := negb (leb (b i) price) && forallb (fun j => leb (b j) price) (filter (fun j => j <? i) agents) in
  Auction N wins (fun b i => if wins b i then price else zero).
Theorem in_turn_critical N agents price : has_critical_values N (in_turn N agents price) agents any_number.
Proof.
  intros b i _. set (before := filter (fun j => j <? i) agents).
  assert (A : forall v l, incl l before -> forallb (fun j => leb (put b i v j) price) l = forallb (fun j => leb (b j) price) l).
  { intros v l. induction l as [|j l IH]; intro H; [reflexivity|]. cbn. rewrite IH by (intros x Hx; apply H; now right). rewrite put_other; [reflexivity|].
    pose proof (H j (or_introl eq_refl)) as Hj. apply filter_In in Hj as [_ Hj]. apply Nat.ltb_lt in Hj. lia. }
  assert (W : forall v, wins_ N (in_turn N agents price) (put b i v) i = negb (leb v price) && forallb (fun j => leb (b j) price) before).
  { intro v. unfold in_turn. cbn [wins_]. rewrite put_same. f_equal. apply (A v before), incl_refl. }
  assert (P : forall v, pays_ N (in_turn N agents price) (put b i v) i = if wins_ N (in_turn N agents price) (put b i v) i then price else zero) by reflexivity.
  destruct (forallb (fun j => leb (b j) price) before) eqn:F.
  - left. exists price. intros v _. rewrite P, W. destruct (leb v price) eqn:G; cbn; split; try reflexivity; [exact G|]. now apply leb_total.
  - right. intros v _. rewrite P, W, andb_false_r. split; reflexivity.
Qed.
(** ** Myerson's optimal auction: the highest virtual value of at least 0 wins, at the lowest bid that would still win *)
Section Optimal.
Variable N : num.
Local Open Scope num_scope.
Variable agents : list nat.
Hypothesis distinct : NoDup agents.
(** Virtual values and their inverses, of each agent: both rise (regular distributions). *)
Variables virtual inverse : nat -> N -> N.
Hypothesis inverse_rises : forall i v w, v <= w -> inverse i v <= inverse i w.
Hypothesis there : forall i v, inverse i (virtual i v) = v.
Definition scores (b : nat -> N) : nat -> N := fun j => virtual j (b j).
Definition optimal : auction N := Auction N (fun b => vickrey_wins N agents 1 0 (scores b))
  (fun b i => if vickrey_wins N agents 1 0 (scores b) i then inverse i (highest_losing N agents 1 0 (scores b)) else 0).
Lemma scores_put b i v j : scores (put b i v) j = put (scores b) i (virtual i v) j.
Proof. unfold scores, put. destruct (Nat.eqb_spec j i) as [->|]; reflexivity. Qed.
Lemma wins_ext b b' i : (forall j, b j = b' j) -> vickrey_wins N agents 1 0 b i = vickrey_wins N agents 1 0 b' i.
Proof. intro H. unfold vickrey_wins. rewrite H. rewrite (pool_ext N (fall N b) (fall N b')); [reflexivity|]. intros; unfold fall; now rewrite H. Qed.
Lemma losing_ext b b' : (forall j, b j = b' j) -> highest_losing N agents 1 0 b = highest_losing N agents 1 0 b'.
Proof.
  intro H. unfold highest_losing. rewrite (next_ext N (fall N b) (fall N b')) by (intros; unfold fall; now rewrite H).
  destruct (next N (fall N b') agents 1); [now rewrite H|reflexivity].
Qed.
Theorem optimal_critical : has_critical_values N optimal agents any_number.
Proof.
  intros b i Hi. destruct (vickrey_critical N agents distinct 1 Nat.lt_0_1 0 (scores b) i Hi) as [(z & C)|C].
  - left. exists (inverse i z). intros v _. cbn. rewrite (wins_ext _ _ i (scores_put b i v)), (losing_ext _ _ (scores_put b i v)).
    pose proof (C (virtual i v) I) as Cv. cbn in Cv. destruct (vickrey_wins N agents 1 0 (put (scores b) i (virtual i v)) i); destruct Cv as [H P].
    + split; [|now rewrite P]. apply (inverse_rises i) in H. now rewrite there in H.
    + split; [|reflexivity]. apply (inverse_rises i) in H. now rewrite there in H.
  - right. intros v _. cbn. rewrite (wins_ext _ _ i (scores_put b i v)). destruct (C (virtual i v) I) as [W _]. cbn in W. rewrite W. split; reflexivity.
Qed.
End Optimal.
