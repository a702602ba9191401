(** * McAfee's double auction

    Both sides are written alike: a buyer's key is its bid, a seller's key its ask with the sign changed, and each side falls in
    its own keys.  The first q pairs whose keys sum to at least 0 could trade.  The price of the first pair that does not, p, the
    mean of its bid and its ask, is paid if it suits the last pair that does; else the last pair gives up and sets the
    price: buyers pay its bid, sellers receive its ask.  What is paid to a seller is a negative payment, so that one
    theorem serves both sides. *)
From Coq Require Import List Arith Bool Permutation Sorted Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets base.Sorting base.Falling base.Insertion market.Market market.Facts auctions.Myerson.
Import ListNotations.

Section Run.
(** The first number from k on that is not ok, or k + fuel. *)
Variable ok : nat -> bool.
Fixpoint run (k fuel : nat) : nat := match fuel with O => k | S f => if ok k then run (S k) f else k end.
Lemma run_spec : forall fuel k, let q := run k fuel in (k <= q <= k + fuel)%nat /\ (forall j, (k <= j < q)%nat -> ok j = true) /\ (q < k + fuel -> ok q = false)%nat.
Proof.
  induction fuel as [|f IH]; intro k; cbn [run].
  - repeat split; intros; lia.
  - destruct (ok k) eqn:F.
    + destruct (IH (S k)) as (A & B & C). repeat split; try lia.
      * intros j Hj. destruct (Nat.eq_dec j k) as [->|]; [assumption|]. apply B. lia.
      * intro H. apply C. lia.
    + repeat split; try lia. intro; assumption.
Qed.
Lemma run_is q n : (q <= n)%nat -> (forall j, (j < q)%nat -> ok j = true) -> (q < n -> ok q = false)%nat -> run 0 n = q.
Proof.
  intros Hq H F. destruct (run_spec n 0) as (A & B & C). set (p := run 0 n) in *. destruct (Nat.lt_trichotomy p q) as [L|[L|L]]; [|assumption|].
  - rewrite (H p L) in C. enough (true = false) by discriminate. apply C. lia.
  - rewrite (B q) in F by lia. enough (true = false) by discriminate. apply F. lia.
Qed.
End Run.

Section McAfee.
Variable N : num.
Add Field field_mcafee : (num_field N).
Local Open Scope num_scope.
Definition ranked_by (f : nat -> N) (l : list nat) : list nat := sort nat (before N (fun j => Some (f j))) l.
(** The k-th key of a sorted list of agents, from 0; [missing] where there is none. *)
Definition nth_key (missing : N) (f : nat -> N) (s : list nat) (k : nat) : N := match nth_error s k with Some j => f j | None => missing end.

Section Side.
(** One side, its agents and keys; the other side. *)
Variables (own other : list nat) (missing_own missing_other : N).
Definition pairs : nat := Nat.min (length own) (length other).
Section Outcome.
Variables f g : nat -> N.
Definition key (k : nat) : N := nth_key missing_own f (ranked_by f own) k.
Definition other_key (k : nat) : N := nth_key missing_other g (ranked_by g other) k.
Definition could : nat := run (fun k => leb 0 (key k + other_key k)) 0 pairs.
Definition middle : N := (key could - other_key could) / (1 + 1).
Definition suits : bool := leb 0 (other_key (pred could) + middle) && leb middle (key (pred could)).
Definition number : nat := if suits then could else pred could.
Definition side_wins (i : nat) : bool := mem i (firstn number (ranked_by f own)).
Definition side_price : N := if suits then middle else key (pred could).
End Outcome.
Definition mcafee_side (g : nat -> N) : auction N :=
  Auction N (fun f i => side_wins f g i) (fun f i => if side_wins f g i then side_price f g else 0).
(** Keys in their bounds: no lower than a missing one, no better than a missing one of the other side is bad. *)
Definition in_bounds (v : N) : Prop := missing_own <= v /\ v + missing_other <= 0.

Variables (f0 g : nat -> N) (i : nat).
Hypotheses (distinct : NoDup own) (member : In i own).
Hypotheses (own_bounds : forall j, in_bounds (f0 j)) (other_bounds : forall j, missing_other <= g j).
Let rivals := ranked_by f0 (without i own).
Let beta (k : nat) : N := nth_key missing_own f0 rivals k.
Let sigma := other_key g.
Lemma two_positive : (0 : N) < 1 + 1.
Proof.
  destruct (le_or_lt N (1 + 1) 0) as [F|F]; [exfalso|exact F]. pose proof (one_nonneg N) as P.
  assert (Z : (1 : N) = 0) by (apply (le_anti N); [slack2 F P|exact P]).
  destruct (num_field N) as [_ H _ _]. now apply H.
Qed.
Lemma sorted_by f l : StronglySorted (fun a b => before N (fun j => Some (f j)) a b = true) (ranked_by f l).
Proof. apply sort_sorted_falling. Qed.
Lemma before_key f a b : before N (fun j => Some (f j)) a b = true -> f b <= f a.
Proof. intro B. now apply andb_true_iff in B as [B _]. Qed.
Lemma nth_key_falls m f l k k' : (forall j, m <= f j) -> (k <= k')%nat -> nth_key m f (ranked_by f l) k' <= nth_key m f (ranked_by f l) k.
Proof.
  intros M H. unfold nth_key. destruct (Nat.eq_dec k k') as [->|D]; [apply le_refl|].
  destruct (nth_error (ranked_by f l) k') as [b|] eqn:Eb.
  - destruct (nth_error (ranked_by f l) k) as [a|] eqn:Ea.
    + apply before_key, (sorted_nth N _ _ (sorted_by f l) k k'); auto. lia.
    + apply nth_error_None in Ea. assert (nth_error (ranked_by f l) k' <> None) by congruence. apply nth_error_Some in H0. lia.
  - destruct (nth_error (ranked_by f l) k) as [a|]; [apply M|apply le_refl].
Qed.
Lemma sigma_falls k k' : (k <= k')%nat -> sigma k' <= sigma k.
Proof. apply nth_key_falls, other_bounds. Qed.
Lemma beta_falls k k' : (k <= k')%nat -> beta k' <= beta k.
Proof. apply nth_key_falls. intro j. apply own_bounds. Qed.
Lemma ranked_put v : exists u w, rivals = u ++ w /\ ranked_by (put f0 i v) own = u ++ i :: w /\ (forall a, In a u -> v <= f0 a) /\ (forall a, In a w -> f0 a <= v).
Proof.
  unfold ranked_by at 1. rewrite (falling_insert N _ own i distinct member).
  assert (R : sort nat (before N (fun j => Some (put f0 i v j))) (without i own) = rivals).
  { apply sort_ext. intros a b Ha Hb. apply without_In in Ha as [_ Da], Hb as [_ Db]. unfold before. now rewrite !put_other. }
  rewrite R. destruct (insert_split N (fun j => Some (put f0 i v j)) i rivals) as (u & w & E & E' & Hu & Hw).
  { rewrite <- R. apply sort_sorted_falling. }
  assert (Out : forall a, In a (u ++ w) -> a <> i).
  { intros a Ha. rewrite <- E in Ha. apply (Permutation_in _ (sort_perm _ _ _)), without_In in Ha. tauto. }
  exists u, w. rewrite E'. repeat split; auto.
  - intros a Ha. pose proof (before_key _ _ _ (Hu a Ha)) as Q. rewrite put_same, put_other in Q; [exact Q|]. apply Out, in_or_app. now left.
  - intros a Ha. pose proof (before_key _ _ _ (Hw a Ha)) as Q. rewrite put_same, put_other in Q; [exact Q|]. apply Out, in_or_app. now right.
Qed.
(** How many could trade if i's key were above all others'. *)
Let ok_high (k : nat) : bool := match k with O => true | S k' => leb 0 (beta k' + sigma k) end.
Let Q := run ok_high 0 pairs.

Section Report.
Variable v : N.
Hypothesis Dv : in_bounds v.
Variables u w : list nat.
Hypotheses (Er : rivals = u ++ w) (Es : ranked_by (put f0 i v) own = u ++ i :: w).
Hypotheses (Hu : forall a, In a u -> v <= f0 a) (Hw : forall a, In a w -> f0 a <= v).
Let r := length u.
Let kv := key (put f0 i v).
Lemma not_rival a : In a (u ++ w) -> a <> i.
Proof. intro Ha. rewrite <- Er in Ha. apply (Permutation_in _ (sort_perm _ _ _)), without_In in Ha. tauto. Qed.
Lemma kv_ahead k : (k < r)%nat -> kv k = beta k.
Proof.
  intro H. unfold kv, key, beta, nth_key. rewrite Es, Er, !nth_error_app1 by exact H.
  destruct (nth_error u k) as [a|] eqn:E; [|reflexivity]. apply put_other, not_rival, in_or_app. left. now apply nth_error_In in E.
Qed.
Lemma kv_own : kv r = v.
Proof. unfold kv, key, nth_key. rewrite Es, nth_error_app2 by apply le_n. fold r. rewrite Nat.sub_diag. cbn. apply put_same. Qed.
Lemma kv_behind k : (r <= k)%nat -> kv (S k) = beta k.
Proof.
  intro H. unfold kv, key, beta, nth_key. rewrite Es, Er, !nth_error_app2 by (unfold r in *; lia). fold r.
  replace (S k - r)%nat with (S (k - r)) by lia. cbn [nth_error]. destruct (nth_error w (k - r)) as [a|] eqn:E; [|reflexivity].
  apply put_other, not_rival, in_or_app. right. now apply nth_error_In in E.
Qed.
Lemma beta_ahead k : (k < r)%nat -> v <= beta k.
Proof.
  intro H. unfold beta, nth_key. rewrite Er, nth_error_app1 by exact H. destruct (nth_error u k) as [a|] eqn:E.
  - apply Hu. now apply nth_error_In in E.
  - apply nth_error_None in E. unfold r in H. lia.
Qed.
Lemma beta_behind k : (r <= k)%nat -> beta k <= v.
Proof.
  intro H. unfold beta, nth_key. rewrite Er, nth_error_app2 by exact H. destruct (nth_error w (k - length u)) as [a|] eqn:E.
  - apply Hw. now apply nth_error_In in E.
  - apply Dv.
Qed.
Lemma wins_iff : side_wins (put f0 i v) g i = true <-> (r < number (put f0 i v) g)%nat.
Proof.
  unfold side_wins. rewrite Es, mem_In. set (n := number (put f0 i v) g). rewrite firstn_app. fold r. split.
  - intro H. destruct (Nat.lt_ge_cases r n) as [L|L]; [assumption|exfalso]. replace (n - r)%nat with O in H by lia. cbn in H. rewrite app_nil_r in H.
    assert (In i u) by (rewrite <- (firstn_skipn n u); apply in_or_app; now left).
    assert (In i (u ++ w)) as F by (apply in_or_app; now left). now apply not_rival in F.
  - intro L. apply in_or_app. right. replace (n - r)%nat with (S (n - r - 1)) by lia. cbn. now left.
Qed.
Lemma number_below : (number (put f0 i v) g <= could (put f0 i v) g)%nat.
Proof. unfold number. destruct (suits _ _); lia. Qed.
(** i behind the first Q: it does not trade, and is below what it would take. *)
Lemma behind_loses : (Q <= r)%nat -> side_wins (put f0 i v) g i = false.
Proof.
  intro H. destruct (side_wins (put f0 i v) g i) eqn:W; [exfalso|reflexivity]. apply wins_iff in W. pose proof number_below as B.
  destruct (run_spec (fun k => leb 0 (kv k + sigma k)) pairs 0) as (A1 & A2 & _). fold (could (put f0 i v) g) in A1, A2.
  destruct (run_spec ok_high pairs 0) as (_ & _ & C). fold Q in C.
  assert (L : (Q < could (put f0 i v) g)%nat) by lia. specialize (A2 Q ltac:(unfold could, kv, sigma in *; lia)). cbn in A2.
  specialize (C ltac:(unfold could, kv, sigma in *; lia)). unfold ok_high in C. destruct Q as [|Q1]; [discriminate|].
  assert (K : kv (S Q1) <= beta Q1).
  { destruct (Nat.eq_dec r (S Q1)) as [E|E]; [rewrite <- E, kv_own; apply beta_ahead; lia|]. rewrite kv_ahead by lia. apply beta_falls. lia. }
  assert (T : 0 <= beta Q1 + sigma (S Q1)) by (change (0 <= kv (S Q1) + sigma (S Q1)) in A2; slack2 A2 K). unfold le in T. congruence.
Qed.
Lemma Q_pairs : (Q <= pairs)%nat.
Proof. destruct (run_spec ok_high pairs 0) as (A & _). unfold Q. lia. Qed.
Lemma Q_ok k : (S k < Q)%nat -> 0 <= beta k + sigma (S k).
Proof. intro H. destruct (run_spec ok_high pairs 0) as (_ & A & _). apply (A (S k)). unfold Q in H. lia. Qed.
Lemma Q_stop k : Q = S k -> (Q < pairs)%nat -> beta k + sigma (S k) < 0.
Proof.
  intros E H. destruct (run_spec ok_high pairs 0) as (_ & _ & A). fold Q in A. specialize (A ltac:(lia)). rewrite E in A. exact A.
Qed.
Lemma sum_falls k : (S k < Q)%nat -> 0 <= beta k + sigma k.
Proof. intro H. pose proof (Q_ok k H) as A. pose proof (sigma_falls k (S k) ltac:(lia)) as B. slack2 A B. Qed.
Section Inside.
Variable Q1 : nat.
Hypothesis EQ : Q = S Q1.
Let pz := (beta Q1 - sigma (S Q1)) / (1 + 1).
Lemma could_short : r = Q1 -> v + sigma Q1 < 0 -> could (put f0 i v) g = Q1.
Proof.
  intros E H. pose proof Q_pairs. apply run_is; [lia| |].
  - intros j Hj. change (leb 0 (kv j + sigma j) = true). rewrite kv_ahead by lia. apply sum_falls. lia.
  - intros _. change (leb 0 (kv Q1 + sigma Q1) = false). rewrite <- E, kv_own, E. exact H.
Qed.
Lemma could_full : (r < Q)%nat -> (r = Q1 -> 0 <= v + sigma Q1) -> could (put f0 i v) g = S Q1.
Proof.
  intros H F. pose proof Q_pairs. apply run_is; [lia| |].
  - intros j Hj. change (leb 0 (kv j + sigma j) = true). destruct (Nat.lt_trichotomy j r) as [L|[->|L]].
    + rewrite kv_ahead by assumption. apply sum_falls. lia.
    + rewrite kv_own. destruct (Nat.eq_dec r Q1) as [E|E]; [rewrite E; now apply F|].
      pose proof (Q_ok r ltac:(lia)) as A. pose proof (beta_behind r (le_n r)) as B. pose proof (sigma_falls r (S r) ltac:(lia)) as C. 
      change (0 <= v + sigma r). slack3 A B C.
    + destruct j as [|j]; [lia|]. rewrite kv_behind by lia. apply Q_ok. lia.
  - intros L. change (leb 0 (kv (S Q1) + sigma (S Q1)) = false). rewrite kv_behind by lia. apply Q_stop; [assumption|lia].
Qed.
Lemma half_le (x y : N) : x + x <= y -> x <= y / (1 + 1).
Proof.
  intro H. pose proof two_positive as P. apply (le_div N (1 + 1)); [exact P|].
  replace ((1 + 1) * (y / (1 + 1))) with y by (field; now apply lt_neq in P). slack1 H.
Qed.
Lemma behind_below : (Q <= r)%nat -> v <= beta Q1 /\ v <= pz.
Proof.
  intro H. assert (B : v <= beta Q1) by (apply beta_ahead; lia). split; [exact B|]. unfold pz. apply half_le.
  assert (S : v + sigma (S Q1) <= 0).
  { pose proof Q_pairs as P. destruct (Nat.eq_dec Q pairs) as [E|E].
    - assert (L : (length other <= S Q1)%nat).
      { assert (R : (r < length own)%nat).
        { assert (W : length (ranked_by (put f0 i v) own) = length own) by (apply Permutation_length, sort_perm).
          rewrite Es, app_length in W. cbn in W. unfold r. lia. }
        unfold pairs in E. lia. }
      replace (sigma (S Q1)) with missing_other; [apply Dv|]. unfold sigma, other_key, nth_key.
      destruct (nth_error (ranked_by g other) (S Q1)) as [a|] eqn:F; [exfalso|reflexivity].
      assert (nth_error (ranked_by g other) (S Q1) <> None) as F' by congruence. apply nth_error_Some in F'.
      assert (W : length (ranked_by g other) = length other) by (apply Permutation_length, sort_perm). lia.
    - pose proof (Q_stop Q1 EQ ltac:(lia)) as A. apply lt_le in A. slack2 A B. }
  slack2 S B.
Qed.
Lemma middle_full : could (put f0 i v) g = S Q1 -> (r < Q)%nat -> middle (put f0 i v) g = pz.
Proof. intros C H. unfold middle. rewrite C. change (key (put f0 i v) (S Q1)) with (kv (S Q1)). now rewrite kv_behind by lia. Qed.
(** What may happen at the report v. *)
Lemma three_cases : let wins := side_wins (put f0 i v) g i in
  wins = false /\ v <= beta Q1 /\ v <= pz
  \/ wins = false /\ v + sigma Q1 < 0 /\ (forall k, (k < Q1)%nat -> v <= beta k)
  \/ (exists last, let s := leb 0 (sigma Q1 + pz) && leb pz last in
       side_price (put f0 i v) g = (if s then pz else last) /\
       (wins = true /\ (0 < Q1)%nat /\ last = beta (pred Q1) /\ last <= v
        \/ wins = s /\ last = v /\ forall k, (k < Q1)%nat -> v <= beta k)).
Proof.
  intro wins. destruct (Nat.lt_ge_cases r Q) as [H|H].
  2:{ left. split; [now apply behind_loses|now apply behind_below]. }
  right. assert (Ahead : r = Q1 -> forall k, (k < Q1)%nat -> v <= beta k) by (intros E k Hk; apply beta_ahead; lia).
  assert (Wn : forall n, number (put f0 i v) g = n -> wins = Nat.ltb r n).
  { intros n <-. unfold wins. destruct (side_wins (put f0 i v) g i) eqn:W.
    - symmetry. apply Nat.ltb_lt. now apply wins_iff.
    - destruct (Nat.ltb_spec r (number (put f0 i v) g)) as [L|L]; [|reflexivity]. apply wins_iff in L. congruence. }
  destruct (Nat.eq_dec r Q1) as [E|E]; [destruct (le_or_lt N 0 (v + sigma Q1)) as [F|F]|].
  - right. exists v. pose proof (could_full H (fun _ => F)) as C. pose proof (middle_full C H) as M.
    assert (S : suits (put f0 i v) g = leb 0 (sigma Q1 + pz) && leb pz v).
    { unfold suits. rewrite C, M. cbn [pred]. change (key (put f0 i v) Q1) with (kv Q1). rewrite <- E at 2. now rewrite kv_own. }
    cbv zeta. split.
    + unfold side_price. rewrite S, C, M. cbn [pred]. change (key (put f0 i v) Q1) with (kv Q1). rewrite <- E at 2. now rewrite kv_own.
    + right. split; [|auto]. rewrite (Wn _ eq_refl). unfold number. rewrite S, C. cbn [pred].
      destruct (leb 0 (sigma Q1 + pz) && leb pz v); [apply Nat.ltb_lt; lia|apply Nat.ltb_ge; lia].
  - left. split; [|auto]. pose proof (could_short E F) as C. pose proof number_below as B. rewrite C in B.
    rewrite (Wn _ eq_refl). apply Nat.ltb_ge. lia.
  - right. exists (beta (pred Q1)). assert (F : r = Q1 -> 0 <= v + sigma Q1) by (intro; contradiction).
    pose proof (could_full H F) as C. pose proof (middle_full C H) as M. assert (P : (0 < Q1)%nat) by lia.
    assert (Kl : kv Q1 = beta (pred Q1)) by (destruct Q1 as [|Q2]; [lia|]; apply kv_behind; lia).
    assert (S : suits (put f0 i v) g = leb 0 (sigma Q1 + pz) && leb pz (beta (pred Q1))).
    { unfold suits. rewrite C, M. cbn [pred]. change (key (put f0 i v) Q1) with (kv Q1). now rewrite Kl. }
    cbv zeta. split.
    + unfold side_price. rewrite S, C, M. cbn [pred]. change (key (put f0 i v) Q1) with (kv Q1). now rewrite Kl.
    + left. split; [|split; [assumption|split; [reflexivity|apply beta_behind; lia]]].
      rewrite (Wn _ eq_refl). unfold number. rewrite S, C. cbn [pred].
      destruct (leb 0 (sigma Q1 + pz) && leb pz (beta (pred Q1))); apply Nat.ltb_lt; lia.
Qed.
End Inside.
End Report.

Lemma cases_at Q1 v : Q = S Q1 -> in_bounds v -> let wins := side_wins (put f0 i v) g i in let pz := (beta Q1 - sigma (S Q1)) / (1 + 1) in
  wins = false /\ v <= beta Q1 /\ v <= pz
  \/ wins = false /\ v + sigma Q1 < 0 /\ (forall k, (k < Q1)%nat -> v <= beta k)
  \/ (exists last, let s := leb 0 (sigma Q1 + pz) && leb pz last in
       side_price (put f0 i v) g = (if s then pz else last) /\
       (wins = true /\ (0 < Q1)%nat /\ last = beta (pred Q1) /\ last <= v
        \/ wins = s /\ last = v /\ forall k, (k < Q1)%nat -> v <= beta k)).
Proof. intros EQ Dv. destruct (ranked_put v) as (u & w & Er & Es & Hu & Hw). exact (three_cases v Dv u w Er Es Hu Hw Q1 EQ). Qed.
(** The critical value: the middle price if it suits the last rival that could trade with i, else that rival's key. *)
Theorem mcafee_faces : faces_critical N (mcafee_side g) in_bounds f0 i.
Proof.
  unfold faces_critical, mcafee_side. cbn [wins_ pays_]. destruct Q as [|Q1] eqn:EQ.
  { right. intros v Dv. destruct (ranked_put v) as (u & w & Er & Es & Hu & Hw).
    rewrite (behind_loses v u w Er Es Hu) by lia. auto. }
  set (pz := (beta Q1 - sigma (S Q1)) / (1 + 1)).
  pose proof (fun v Dv => cases_at Q1 v EQ Dv) as T. cbv zeta in T. fold pz in T.
  destruct (leb 0 (sigma Q1 + pz)) eqn:C1; cbn [andb] in T.
  - left. exists (match Q1 with O => pz | S Q2 => if leb pz (beta Q2) then pz else beta Q2 end). intros v Dv.
    destruct (T v Dv) as [(W & B & P)|[(W & B & A)|(last & Pr & [(W & Pos & El & Lv)|(W & El & A)])]]; rewrite W.
    + split; [|reflexivity]. destruct Q1 as [|Q2]; [exact P|]. destruct (leb pz (beta Q2)); [exact P|].
      apply (le_trans N _ (beta (S Q2))); [exact B|]. apply beta_falls. lia.
    + split; [|reflexivity]. assert (P : v <= pz) by (apply lt_le in B; change (0 <= sigma Q1 + pz) in C1; slack2 B C1).
      destruct Q1 as [|Q2]; [exact P|]. destruct (leb pz (beta Q2)); [exact P|]. apply A. lia.
    + rewrite Pr, El in *. destruct Q1 as [|Q2]; [lia|]. cbn [pred] in *. destruct (leb pz (beta Q2)) eqn:F; (split; [|reflexivity]); [|exact Lv].
      now apply (le_trans N _ (beta Q2)).
    + rewrite El in *. destruct (leb pz v) eqn:F.
      * rewrite Pr. destruct Q1 as [|Q2]; [auto|]. replace (leb pz (beta Q2)) with true; [auto|].
        symmetry. apply (le_trans N _ v); [exact F|]. apply A. lia.
      * split; [|reflexivity]. apply leb_total in F. destruct Q1 as [|Q2]; [exact F|]. destruct (leb pz (beta Q2)); [exact F|]. apply A. lia.
  - destruct Q1 as [|Q2].
    + right. intros v Dv. destruct (T v Dv) as [(W & _)|[(W & _)|(last & Pr & [(W & Pos & _)|(W & _)])]]; rewrite W; auto. lia.
    + left. exists (beta Q2). intros v Dv.
      destruct (T v Dv) as [(W & B & P)|[(W & B & A)|(last & Pr & [(W & Pos & El & Lv)|(W & El & A)])]]; rewrite W.
      * split; [|reflexivity]. apply (le_trans N _ (beta (S Q2))); [exact B|]. apply beta_falls. lia.
      * split; [|reflexivity]. apply A. lia.
      * rewrite Pr, El in *. cbn [pred] in *. auto.
      * split; [|reflexivity]. apply A. lia.
Qed.
End Side.

(** ** The two sides together *)
Section Both.
Variables (buyers sellers : list nat) (low high : N).
Hypotheses (buyers_distinct : NoDup buyers) (sellers_distinct : NoDup sellers).
Definition down (f : nat -> N) : nat -> N := fun j => 0 - f j.
Definition mcafee_buyers (ask : nat -> N) : auction N := mcafee_side buyers sellers low (0 - high) (down ask).
(** Keyed by asks with the sign changed. *)
Definition mcafee_sellers (bid : nat -> N) : auction N := mcafee_side sellers buyers (0 - high) low bid.
Definition within (x : N) : Prop := low <= x /\ x <= high.
Lemma within_bounds x : within x -> in_bounds low (0 - high) x.
Proof. intros [A B]. split; [exact A|slack1 B]. Qed.
Lemma down_bounds x : within x -> in_bounds (0 - high) low (0 - x).
Proof. intros [A B]. split; [slack1 B|slack1 A]. Qed.
(** Buyers: no bid is better than the value, whatever the others say; a truthful buyer loses nothing. *)
Theorem mcafee_buyers_dsic bid ask i v w : In i buyers -> (forall j, within (bid j)) -> (forall j, within (ask j)) -> within v -> within w ->
  gain_ N (mcafee_buyers ask) v (put bid i w) i <= gain_ N (mcafee_buyers ask) v (put bid i v) i.
Proof.
  intros Hi Hb Ha Hv Hw. apply (faces_dsic N _ (in_bounds low (0 - high))); try (now apply within_bounds). apply mcafee_faces; auto.
  - intro j. now apply within_bounds.
  - intro j. destruct (Ha j) as [_ A]. unfold down. slack1 A.
Qed.
Theorem mcafee_buyers_ir bid ask i v : In i buyers -> (forall j, within (bid j)) -> (forall j, within (ask j)) -> within v ->
  0 <= gain_ N (mcafee_buyers ask) v (put bid i v) i.
Proof.
  intros Hi Hb Ha Hv. apply (faces_ir N _ (in_bounds low (0 - high))); try (now apply within_bounds). apply mcafee_faces; auto.
  - intro j. now apply within_bounds.
  - intro j. destruct (Ha j) as [_ A]. unfold down. slack1 A.
Qed.
(** Sellers: the same of asks and costs; to part with the item at cost c is worth 0 - c. *)
Theorem mcafee_sellers_dsic bid ask i c d : In i sellers -> (forall j, within (bid j)) -> (forall j, within (ask j)) -> within c -> within d ->
  gain_ N (mcafee_sellers bid) (0 - c) (put (down ask) i (0 - d)) i <= gain_ N (mcafee_sellers bid) (0 - c) (put (down ask) i (0 - c)) i.
Proof.
  intros Hi Hb Ha Hc Hd. apply (faces_dsic N _ (in_bounds (0 - high) low)); try (now apply down_bounds). apply mcafee_faces; auto.
  - intro j. now apply down_bounds.
  - intro j. apply Hb.
Qed.
Theorem mcafee_sellers_ir bid ask i c : In i sellers -> (forall j, within (bid j)) -> (forall j, within (ask j)) -> within c ->
  0 <= gain_ N (mcafee_sellers bid) (0 - c) (put (down ask) i (0 - c)) i.
Proof.
  intros Hi Hb Ha Hc. apply (faces_ir N _ (in_bounds (0 - high) low)); try (now apply down_bounds). apply mcafee_faces; auto.
  - intro j. now apply down_bounds.
  - intro j. apply Hb.
Qed.
(** Both sides trade the same number of units ... *)
Lemma pairs_swap : pairs sellers buyers = pairs buyers sellers.
Proof. apply Nat.min_comm. Qed.
Lemma run_ext (p q : nat -> bool) : (forall k, p k = q k) -> forall fuel k, run p k fuel = run q k fuel.
Proof. intro H. induction fuel as [|f IH]; intro k; cbn; [reflexivity|]. now rewrite H, IH. Qed.
Section Swap.
Variables f g : nat -> N.
Let B := could buyers sellers low (0 - high) f g.
Lemma could_swap : could sellers buyers (0 - high) low g f = B.
Proof.
  unfold could, B, could. rewrite pairs_swap. apply run_ext. intro k. f_equal.
  change (other_key buyers low f k) with (key buyers low f k). change (other_key sellers (0 - high) g k) with (key sellers (0 - high) g k). ring.
Qed.
Lemma middle_swap : middle sellers buyers (0 - high) low g f = 0 - middle buyers sellers low (0 - high) f g.
Proof.
  unfold middle. rewrite could_swap. fold B. change (other_key buyers low f B) with (key buyers low f B). change (other_key sellers (0 - high) g B) with (key sellers (0 - high) g B).
  field. apply lt_neq, two_positive.
Qed.
Lemma leb_diff (a b c d : N) : b - a = d - c -> leb a b = leb c d.
Proof.
  intro H. destruct (leb a b) eqn:P, (leb c d) eqn:Q; try reflexivity; exfalso.
  - change (c <= d) with (leb c d = true) in *. assert (c <= d) as F by (change (a <= b) in P; refine (lin1 _ _ _ _ _ P _); now rewrite H). unfold le in F. congruence.
  - assert (a <= b) as F by (change (c <= d) in Q; refine (lin1 _ _ _ _ _ Q _); now rewrite H). unfold le in F. congruence.
Qed.
Lemma suits_swap : suits sellers buyers (0 - high) low g f = suits buyers sellers low (0 - high) f g.
Proof.
  unfold suits. rewrite could_swap, middle_swap. fold B. rewrite andb_comm.
  change (other_key buyers low f (pred B)) with (key buyers low f (pred B)). change (other_key sellers (0 - high) g (pred B)) with (key sellers (0 - high) g (pred B)).
  f_equal; apply leb_diff; ring.
Qed.
Theorem mcafee_same_number : number sellers buyers (0 - high) low g f = number buyers sellers low (0 - high) f g.
Proof. unfold number. now rewrite suits_swap, could_swap. Qed.
(** ... and a buyer pays at least what a seller receives: the centre never has a deficit. *)
Theorem mcafee_no_deficit : (0 < number buyers sellers low (0 - high) f g)%nat ->
  0 <= side_price buyers sellers low (0 - high) f g + side_price sellers buyers (0 - high) low g f.
Proof.
  intro H. unfold side_price. rewrite suits_swap, could_swap, middle_swap. fold B. destruct (suits buyers sellers low (0 - high) f g) eqn:S.
  - apply le_eq. ring.
  - unfold number in H. rewrite S in H. fold B in H.
    destruct (run_spec (fun k => leb 0 (key buyers low f k + other_key sellers (0 - high) g k)) (pairs buyers sellers) 0) as (_ & A & _).
    specialize (A (pred B)). apply A. unfold B, could in *. lia.
Qed.
End Swap.
End Both.
End McAfee.
