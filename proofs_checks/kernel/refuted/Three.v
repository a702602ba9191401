(** * What fails with one buyer and two sellers

    exact-marginal is not truthful in costs (the example of [IpflCost]: 1.1 against 1; saying 0.9 the first is taken and paid 3);
    ipfl is not efficient (a seller of 10000 at cost 7 heads the list, fails, and ends the search: 0 in place of 2); pooled prices
    are not truthful in sizes on plain data. *)
From Coq Require Import Reals Lra Psatz Bool List Arith Permutation Sorted Lia.
From MarketKernel Require Import base.Num base.Sets base.RealNumbers base.Rank base.Falling market.Market market.Facts market.SqrtLaw.
From MarketKernel Require Import market.Exact market.Marginal market.Threshold market.ThresholdExists market.PrefixSqrt market.Offers market.Posted market.Pooled refuted.Roots refuted.IpflCost.
Import ListNotations.
Local Open Scope R_scope.

(** Who gains nothing buys nothing that costs something. *)
Lemma costs_only m (r : types reals) i s : gain r i = 0 -> objective (free m) r i s = - @sum reals nat (cost r) s.
Proof.
  intro G. unfold objective, value. rewrite G. change (law (free m)) with rlaw. rewrite law_no_gain.
  rewrite (sum_ext reals (weight (free m) r i) (cost r) s) by (intros; apply free_weight). cbn. lra.
Qed.
Lemma free_nothing m (r : types reals) sel i : exact_rule reals (free m) sel -> gain r i = 0 -> (forall j, 0 < cost r j) -> sel r i = [].
Proof.
  intros X G C. pose proof (sel_best _ _ _ X r i [] (subsets_nil _)) as B. rewrite !costs_only in B by assumption.
  destruct (sel r i) as [|j t]; [reflexivity|exfalso]. cbn [sum] in B. apply le_R in B.
  assert (T : (zero <= @sum reals nat (cost r) t)%num) by (apply sum_nonneg; intros k _; apply le_R; cbn; left; apply C).
  apply le_R in T. specialize (C j). cbn in *. lra.
Qed.

Section ExactMarginal.
Variable sel : types reals -> nat -> list nat.
Hypothesis exact : exact_rule reals (free 3) sel.
Lemma law_700 : rlaw 3600 100 (100 + (300 + 300)) < 38/10.
Proof.
  unfold rlaw. replace (3600 / 100) with (6 * 6) by lra. rewrite sqrt_square by lra.
  assert (22/10 < sqrt (3600 / (100 + (300 + 300)))) by (rewrite <- (sqrt_square (22/10)) by lra; apply sqrt_lt_1; lra). lra.
Qed.
Lemma law_400 : rlaw 3600 100 (100 + 300) = 3.
Proof. apply (law_at _ _ _ 6 3); lra. Qed.
(** The cheaper seller is taken alone. *)
Lemma cheapest (r : types reals) a b : size r = size truth -> gain r = gain truth -> (a = 1 /\ b = 2 \/ a = 2 /\ b = 1)%nat ->
  9/10 <= cost r a -> cost r a < cost r b -> cost r a < 3 -> sel r 0 = [a].
Proof.
  intros Hs Hg Hab Ca Cab C3. pose proof (sel_in _ _ _ exact r 0%nat) as I. change (subsets (others (free 3) 0)) with [[1; 2]; [1]; [2]; []]%nat in I.
  pose proof (sel_best _ _ _ exact r 0%nat [a]) as B. rewrite objective_one, Hs, Hg in B.
  assert (In [a] (subsets (others (free 3) 0))) as Ia by (destruct Hab as [[-> ->]|[-> ->]]; cbn; tauto). specialize (B Ia). apply le_R in B.
  assert (Sa : size truth a = 300) by (destruct Hab as [[-> ->]|[-> ->]]; reflexivity).
  change (size truth 0%nat) with 100 in B. change (gain truth 0%nat) with 3600 in B. rewrite Sa, law_400 in B.
  pose proof law_700 as L7.
  destruct I as [E|[E|[E|[E|[]]]]]; rewrite <- E in B |- *.
  - exfalso. rewrite objective_two, Hs, Hg in B. cbn in B, L7. destruct Hab as [[-> ->]|[-> ->]]; lra.
  - destruct Hab as [[-> ->]|[-> ->]]; [reflexivity|exfalso]. rewrite objective_one, Hs, Hg in B. cbn in B. pose proof law_400 as L4. cbn in L4. lra.
  - destruct Hab as [[-> ->]|[-> ->]]; [exfalso|reflexivity]. rewrite objective_one, Hs, Hg in B. cbn in B. pose proof law_400 as L4. cbn in L4. lra.
  - exfalso. rewrite objective_none in B. cbn in B. lra.
Qed.
Lemma paid_three (r : types reals) : size r = size truth -> gain r = gain truth -> sel r 0 = [1%nat] -> contribution reals (free 3) sel r 0 1 = 3.
Proof.
  intros Hs Hg S. unfold contribution. rewrite (free_pen 3), S. unfold marginal. change (without 1 [1%nat]) with (@nil nat).
  pose proof (objective_one 3 r 0%nat 1%nat) as A. pose proof (objective_none 3 r 0%nat) as B. unfold objective in A, B. cbn [sum] in A, B.
  rewrite free_weight, Hs, Hg in A. change (size truth 0%nat) with 100 in A. change (gain truth 0%nat) with 3600 in A. change (size truth 1%nat) with 300 in A.
  rewrite law_400 in A. cbn in *. lra.
Qed.
Theorem exact_marginal_not_dsic_cost : ~ dsic_cost (free 3) (exact_marginal reals (free 3) sel).
Proof.
  intro D. specialize (D truth truth 1%nat (9/10) ltac:(cbn; lia)). fold (says (9/10)) in D.
  change (set_cost truth 1 (cost truth 1%nat)) with (says (11/10)) in D.
  assert (P : forall c, 0 < c -> forall j, 0 < cost (says c) j) by (intros c Hc [|[|j]]; cbn; lra).
  assert (N0 : forall c i, 0 < c -> (0 < i)%nat -> sel (says c) i = []).
  { intros c i Hc Hi. apply (free_nothing 3); [exact exact| |now apply P]. destruct i; [lia|reflexivity]. }
  assert (St : sel (says (11/10)) 0 = [2%nat]) by (apply (cheapest (says (11/10)) 2 1); first [reflexivity | lia | cbn; lra]).
  assert (Sl : sel (says (9/10)) 0 = [1%nat]) by (apply (cheapest (says (9/10)) 1 2); first [reflexivity | lia | cbn; lra]).
  unfold utility, bought, sold in D. cbn [exact_marginal buys price] in D. change (others (free 3) 1) with [0; 2]%nat in D. cbn [sum] in D.
  rewrite (N0 (9/10) 1%nat), (N0 (9/10) 2%nat), (N0 (11/10) 1%nat), (N0 (11/10) 2%nat), St, Sl in D by (lia || lra). cbn [mem existsb Nat.eqb orb sum] in D.
  rewrite (paid_three (says (9/10)) eq_refl eq_refl Sl) in D.
  assert (Z : value (free 3) truth 1 [] = 0) by apply law_no_gain. rewrite Z in D. apply le_R in D. cbn in D. lra.
Qed.
End ExactMarginal.

(** ** ipfl is not efficient *)
Section IpflEfficiency.
Variable x : types reals -> nat -> nat -> option reals.
Variable ord : types reals -> nat -> list nat.
Hypothesis rule : threshold_rule reals (free 3) x ord.
Definition big_and_small : types reals := @Types reals
  (fun i => match i with O => 100 | 1%nat => 10000 | _ => 300 end) (fun i => match i with 1%nat => 7 | _ => 1 end) (fun i => match i with O => 3600 | _ => 0 end).
Lemma big_valid : valid (free 3) big_and_small.
Proof. intros i _. rewrite !le_R, lt_R. destruct i as [|[|i]]; cbn; lra. Qed.
Lemma some_threshold j : (0 < j < 3)%nat -> exists y, x big_and_small 0 j = Some y /\ size big_and_small j < y /\
  rlaw 3600 100 y - rlaw 3600 100 (y - size big_and_small j) = cost big_and_small j.
Proof.
  intro Hj. pose proof (thr_root _ _ _ _ rule big_and_small 0%nat j (free_valid 3) big_valid ltac:(cbn; lia) ltac:(cbn; lia)) as T. unfold is_threshold in T.
  assert (C : 0 < cost big_and_small j) by (destruct j as [|[|j]]; cbn; lra). assert (S : 0 < size big_and_small j) by (destruct j as [|[|j]]; cbn; lra).
  destruct (x big_and_small 0%nat j) as [y|].
  - exists y. split; [reflexivity|]. destruct T as [_ [[T1 T2]|[_ T]]].
    + rewrite free_weight in T2. apply lt_R in T1. split; [exact T1|exact T2].
    + exfalso. destruct (root_exists 3600 100 (size big_and_small j) (cost big_and_small j) ltac:(lra) S C) as (z & Hz & Ez).
      apply (T z). split; [now apply lt_R|]. rewrite free_weight. exact Ez.
  - exfalso. rewrite free_weight in T. apply le_R in T. apply (Rlt_irrefl 0). now apply Rlt_le_trans with (cost big_and_small j).
Qed.
Lemma takes_nothing : taken reals (free 3) x ord big_and_small 0 = [].
Proof.
  destruct (some_threshold 1 ltac:(lia)) as (y & Xy & Hy & Ey). destruct (some_threshold 2 ltac:(lia)) as (z & Xz & Hz & Ez). cbn in Hy, Ey, Hz, Ez.
  assert (Y : y < 10100).
  { destruct (Rle_lt_dec 10100 y) as [L|L]; [exfalso|exact L]. assert (G : rlaw 3600 100 10100 - rlaw 3600 100 (10100 - 10000) <= 6).
    { unfold rlaw. replace (3600 / (10100 - 10000)) with (6 * 6) by lra. rewrite sqrt_square by lra. pose proof (sqrt_pos (3600 / 10100)). lra. }
    destruct L as [L|<-]; [|lra]. pose proof (PrefixSqrt.gap_falls 3600 100 10000 10100 y ltac:(lra) ltac:(lra) ltac:(lra) L). lra. }
  assert (Z : z < 10000).
  { destruct (Rle_lt_dec 10000 z) as [L|L]; [exfalso|exact L]. assert (G : rlaw 3600 100 900 - rlaw 3600 100 (900 - 300) < 1).
    { unfold rlaw. replace (3600 / 900) with (2 * 2) by lra. rewrite (sqrt_square 2) by lra. replace (3600 / (900 - 300)) with 6 by lra.
      assert (sqrt 6 < 3) by (rewrite <- (sqrt_square 3) by lra; apply sqrt_lt_1; lra). lra. }
    pose proof (PrefixSqrt.gap_falls 3600 100 300 900 z ltac:(lra) ltac:(lra) ltac:(lra) ltac:(lra)). lra. }
  pose proof (ord_perm _ _ _ _ rule big_and_small 0%nat) as P. change (others (free 3) 0) with [1; 2]%nat in P.
  assert (O : ord big_and_small 0%nat = [1; 2]%nat).
  { apply Permutation_sym, Permutation_length_2_inv in P. destruct P as [P|P]; [exact P|exfalso].
    pose proof (ord_sorted _ _ _ _ rule big_and_small 0%nat) as S. rewrite P in S. apply StronglySorted_inv in S as [_ S]. apply Forall_inv in S.
    unfold before, aboveb in S. rewrite Xy, Xz in S. apply andb_true_iff in S as [S _]. apply (le_R y z) in S. lra. }
  unfold taken. rewrite O. cbn [take]. rewrite Xy. cbn [under]. change (samples (free 3) big_and_small 0 1) with 10000. change (size big_and_small 0%nat) with 100.
  replace (leb y (add (100 : reals) 10000)) with true; [reflexivity|]. symmetry. apply Rleb_le. cbn. lra.
Qed.
Theorem ipfl_not_efficient : ~ efficient (free 3) (ipfl reals (free 3) x ord).
Proof.
  intro F. set (a := fun i : nat => match i with O => [2%nat] | _ => @nil nat end). specialize (F big_and_small a).
  assert (A : forall i : nat, (i < clients (free 3))%nat -> In (a i) (subsets (others (free 3) i))).
  { intros i _. destruct i as [|i]; [change (others (free 3) 0) with [1; 2]%nat; cbn; tauto|apply subsets_nil]. }
  specialize (F A). change (seq 0 (clients (free 3))) with [0; 1; 2]%nat in F. cbn [sum ipfl buys a] in F.
  rewrite takes_nothing, !objective_none, objective_one, !costs_only in F by reflexivity.
  assert (P : forall s, (zero <= @sum reals nat (cost big_and_small) s)%num).
  { intro s. apply sum_nonneg. intros j _. apply le_R. destruct j as [|[|j]]; cbn; lra. }
  pose proof (P (taken reals (free 3) x ord big_and_small 1)) as P1. pose proof (P (taken reals (free 3) x ord big_and_small 2)) as P2.
  apply le_R in P1, P2. apply le_R in F. pose proof law_400 as L. cbn in F, L, P1, P2. rewrite L in F. lra.
Qed.
End IpflEfficiency.

(** ** posted-price and pooled-price are not efficient: nobody sells at 1/2, and a pool of one needs two sellers *)
Lemma nothing_not_efficient M : (forall i : nat, (i < 2)%nat -> buys M (@Types reals (fun i => match i with O => 100 | _ => 300 end) (fun _ => 1) (fun i => match i with O => 3600 | _ => 0 end)) i = []) -> ~ efficient (free 2) M.
Proof.
  intros B F. set (t := @Types reals _ _ _) in B. set (a := fun i : nat => match i with O => [1%nat] | _ => @nil nat end). specialize (F t a).
  assert (A : forall i : nat, (i < clients (free 2))%nat -> In (a i) (subsets (others (free 2) i))).
  { intros i _. destruct i as [|i]; [change (others (free 2) 0) with [1]%nat; cbn; tauto|apply subsets_nil]. }
  specialize (F A). change (seq 0 (clients (free 2))) with [0; 1]%nat in F. cbn [sum a] in F. rewrite (B 0%nat), (B 1%nat), !objective_none, objective_one in F by lia.
  apply le_R in F. pose proof (law_at 3600 100 (100 + 300) 6 3 3) as L. cbn in F. rewrite L in F by lra. lra.
Qed.
Theorem posted_not_efficient sel : posted_rule reals (free 2) (fun _ _ _ => 1/2) sel -> ~ efficient (free 2) (posted reals (fun _ _ _ => 1/2) sel).
Proof.
  intro rule. apply nothing_not_efficient. intros i Hi. cbn. set (t := @Types reals _ _ _). pose proof (offer_in _ _ _ _ _ _ rule t i) as I.
  assert (W : willing reals (free 2) (fun _ _ _ => 1/2) t i = []).
  { unfold willing. assert (G : forall l : list nat, filter (fun j => Rleb (cost t j) (1/2)) l = []).
    { induction l as [|j l IH]; [reflexivity|]. cbn [filter]. replace (Rleb (cost t j) (1/2)) with false; [exact IH|]. symmetry. apply Rleb_lt. cbn. lra. }
    apply G. }
  rewrite W in I. destruct I as [E|[]]. now rewrite <- E.
Qed.
Theorem pooled_not_efficient sel : pooled_rule reals (free 2) (fun _ => 1%nat) sel -> ~ efficient (free 2) (pooled reals (free 2) (fun _ => 1%nat) sel).
Proof.
  intro rule. apply nothing_not_efficient. intros i Hi. cbn. set (t := @Types reals _ _ _). pose proof (offer_in _ _ _ _ _ _ rule t i) as I.
  assert (W : offered reals (free 2) (fun _ => 1%nat) t i = []).
  { unfold offered, offer. destruct (next reals (cost t) (suppliers reals (free 2) t i) 1) as [j|] eqn:X; [exfalso|reflexivity].
    apply next_spec in X as [Hj Rj]. pose proof (rank_below reals (cost t) (suppliers reals (free 2) t i) j Hj) as B. rewrite Rj in B.
    pose proof (suppliers_incl reals (free 2) t i) as S. pose proof (suppliers_NoDup reals (free 2) t i) as D. apply (NoDup_incl_length D) in S.
    destruct i as [|[|i]]; [change (others (free 2) 0) with [1]%nat in S|change (others (free 2) 1) with [0]%nat in S|]; cbn [length] in S; lia. }
  rewrite W in I. destruct I as [E|[]]. now rewrite <- E.
Qed.


(** ** pooled-price is not truthful in sizes on plain data *)
Ltac decide_le := repeat match goal with |- context [Rleb ?a ?b] =>
  first [replace (Rleb a b) with true by (symmetry; apply Rleb_le; cbn; lra) | replace (Rleb a b) with false by (symmetry; apply Rleb_lt; cbn; lra)] end.
Section PooledSize.
Variable sel : types reals -> nat -> list nat.
Hypothesis rule : pooled_rule reals (free 3) (fun _ => 1%nat) sel.
(** The buyer's pool is seller 1 at seller 2's cost. *)
Definition offers (n1 : R) : types reals := @Types reals
  (fun i => match i with O => 100 | 1%nat => n1 | _ => 44 end) (fun i => match i with 2%nat => 2 | _ => 1 end) (fun i => match i with O => 3600 | _ => 0 end).
Lemma offer_0 (r : types reals) : (forall j, cost r j = cost (offers 0) j) -> 0 < size r 1%nat -> 0 < size r 2%nat -> offer reals (free 3) (fun _ => 1%nat) r 0 = Some (2, [1%nat]).
Proof.
  intros C S1 S2. unfold offer, suppliers. change (others (free 3) 0) with [1; 2]%nat. cbn [filter]. change (samples (free 3) r 0 1) with (size r 1%nat). change (samples (free 3) r 0 2) with (size r 2%nat).
  cbn [leb reals zero]. decide_le. cbn [negb]. unfold next, pool. cbn [find filter]. unfold rank, cheaper. cbn [filter]. rewrite !C. cbn [cost offers leb reals]. decide_le. cbn. now rewrite C.
Qed.
Lemma offer_1 (r : types reals) : (forall j, cost r j = cost (offers 0) j) -> 0 < size r 0%nat -> 0 < size r 2%nat -> offer reals (free 3) (fun _ => 1%nat) r 1 = Some (2, [0%nat]).
Proof.
  intros C S1 S2. unfold offer, suppliers. change (others (free 3) 1) with [0; 2]%nat. cbn [filter]. change (samples (free 3) r 1 0) with (size r 0%nat). change (samples (free 3) r 1 2) with (size r 2%nat).
  cbn [leb reals zero]. decide_le. cbn [negb]. unfold next, pool. cbn [find filter]. unfold rank, cheaper. cbn [filter]. rewrite !C. cbn [cost offers leb reals]. decide_le. cbn. now rewrite C.
Qed.
Lemma offer_2 (r : types reals) : (forall j, cost r j = cost (offers 0) j) -> 0 < size r 0%nat -> 0 < size r 1%nat -> offer reals (free 3) (fun _ => 1%nat) r 2 = Some (1, [0%nat]).
Proof.
  intros C S1 S2. unfold offer, suppliers. change (others (free 3) 2) with [0; 1]%nat. cbn [filter]. change (samples (free 3) r 2 0) with (size r 0%nat). change (samples (free 3) r 2 1) with (size r 1%nat).
  cbn [leb reals zero]. decide_le. cbn [negb]. unfold next, pool. cbn [find filter]. unfold rank, cheaper. cbn [filter]. rewrite !C. cbn [cost offers leb reals]. decide_le. cbn. now rewrite C.
Qed.
Lemma pool_of_one (r : types reals) i j z : offer reals (free 3) (fun _ => 1%nat) r i = Some (z, [j]) -> let g := rlaw (gain r i) (size r i) (size r i + size r j) in
  (z < g -> sel r i = [j]) /\ (g < z -> sel r i = []).
Proof.
  intros O g. pose proof (offer_in _ _ _ _ _ _ rule r i) as I. pose proof (offer_top _ _ _ _ _ rule r i : forall s, _ -> le (pool_surplus reals (free 3) (fun _ => 1%nat) r i s) (pool_surplus reals (free 3) (fun _ => 1%nat) r i _)) as T.
  assert (W : offered reals (free 3) (fun _ => 1%nat) r i = [j]) by (unfold offered; now rewrite O). rewrite W in I, T.
  assert (Sn : pool_surplus reals (free 3) (fun _ => 1%nat) r i [] = 0).
  { unfold pool_surplus, value, data. cbn. unfold rlaw. rewrite !Rplus_0_r. lra. }
  assert (So : pool_surplus reals (free 3) (fun _ => 1%nat) r i [j] = g - z).
  { unfold pool_surplus, value, data, samples, pool_price. rewrite O. cbn. unfold plain. rewrite !Rplus_0_r. reflexivity. }
  destruct I as [E|[E|[]]]; (split; intro H); try (now rewrite <- E); exfalso; rewrite <- E in T.
  - specialize (T [] ltac:(right; now left)). rewrite So, Sn in T. apply le_R in T. cbn in T. lra.
  - specialize (T [j] ltac:(now left)). rewrite So, Sn in T. apply le_R in T. cbn in T. lra.
Qed.
Theorem pooled_not_dsic_size : ~ dsic_size (free 3) (pooled reals (free 3) (fun _ => 1%nat) sel).
Proof.
  intro D. set (t := offers 44). specialize (D t t 1%nat 300 ltac:(cbn; lia)).
  set (l := say t 1 (cost t 1%nat) (gain t 1%nat) 300) in *. set (h := say t 1 (cost t 1%nat) (gain t 1%nat) (size t 1%nat)) in *.
  assert (Cl : forall j, cost l j = cost (offers 0) j) by (intros [|[|[|j]]]; reflexivity).
  assert (Ch : forall j, cost h j = cost (offers 0) j) by (intros [|[|[|j]]]; reflexivity).
  assert (Sl : sel l 0 = [1%nat]). { apply (pool_of_one l 0 1 2); [apply offer_0; [exact Cl|cbn; lra|cbn; lra]|]. cbn. rewrite (law_at _ _ _ 6 3 3); lra. }
  assert (Sh : sel h 0 = []). { apply (pool_of_one h 0 1 2); [apply offer_0; [exact Ch|cbn; lra|cbn; lra]|]. cbn. rewrite (law_at _ _ _ 6 5 1); lra. }
  assert (Nl : sel l 1 = []). { apply (pool_of_one l 1 0 2); [apply offer_1; [exact Cl|cbn; lra|cbn; lra]|]. cbn. rewrite law_no_gain. lra. }
  assert (Nh : sel h 1 = []). { apply (pool_of_one h 1 0 2); [apply offer_1; [exact Ch|cbn; lra|cbn; lra]|]. cbn. rewrite law_no_gain. lra. }
  assert (Ml : sel l 2 = []). { apply (pool_of_one l 2 0 1); [apply offer_2; [exact Cl|cbn; lra|cbn; lra]|]. cbn. rewrite law_no_gain. lra. }
  assert (Mh : sel h 2 = []). { apply (pool_of_one h 2 0 1); [apply offer_2; [exact Ch|cbn; lra|cbn; lra]|]. cbn. rewrite law_no_gain. lra. }
  unfold utility, bought, sold in D. cbn [pooled buys price] in D. change (others (free 3) 1) with [0; 2]%nat in D. cbn [sum] in D.
  rewrite Sl, Sh, Nl, Nh, Ml, Mh in D. cbn [mem existsb Nat.eqb orb sum] in D. unfold pool_price in D.
  rewrite (offer_0 l Cl) in D by (cbn; lra). apply le_R in D. cbn in D. lra.
Qed.
End PooledSize.
