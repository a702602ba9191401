(** * What fails in gain and in size, and in balance, with one buyer and one seller

    K = 3600, a buyer of 100 and a seller of 300 at cost 1.  G = 6 - 3 = 3.  The truth leaves the buyer 0 under exact-marginal and
    ipfl-exact; saying K = 900 it pays 1.5 less.  A seller that says 800 instead of 300 is paid for data that it does not have. *)
From Coq Require Import Reals Lra Psatz Bool List Arith Lia.
From MarketKernel Require Import base.Num base.Sets base.RealNumbers market.Market market.Facts market.SqrtLaw market.Exact market.Marginal.
From MarketKernel Require Import market.Offers market.Posted market.TwoSided market.NoPayment refuted.Roots.
Import ListNotations.
Local Open Scope R_scope.

Notation pair := (free 2).
Definition buyer_and_seller (n1 : R) : types reals := @Types reals
  (fun i => match i with O => 100 | _ => n1 end) (fun _ => 1) (fun i => match i with O => 3600 | _ => 0 end).
Lemma subsets_0 : subsets (others pair 0) = [[1]; []]%nat.
Proof. reflexivity. Qed.
Lemma subsets_1 : subsets (others pair 1) = [[0]; []]%nat.
Proof. reflexivity. Qed.

Ltac said_valid := let i := fresh "i" in intros i _; rewrite !le_R, lt_R; destruct i as [|[|i]]; cbn; lra.
(** Any rule under which the buyer buys what is worth its cost, at a price that rises with the gain. *)
Section Price.
Variable sel : types reals -> nat -> list nat.
Variable p : types reals -> nat -> nat -> R.
Variable charge : R -> R -> R. (** of the gain and the cost *)
Hypothesis rises : charge (3/2) 1 < charge 3 1 < charge 4 1.
Hypothesis buys_it : forall (r : types reals) g, valid pair r -> rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g -> sel r 0 = [1%nat].
Hypothesis buys_nothing : forall r : types reals, valid pair r -> gain r 1%nat = 0 -> 0 < cost r 0%nat -> sel r 1 = [].
Hypothesis whole : forall (r : types reals) g, valid pair r -> rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g -> p r 0%nat 1%nat = charge g (cost r 1%nat).
Let M : mechanism reals := @Mechanism reals sel p.
Lemma buyer_utility (th r : types reals) g G : valid pair r -> gain r 1%nat = 0 -> 0 < cost r 0%nat -> rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g ->
  rlaw (gain th 0%nat) (size th 0%nat) (size th 0%nat + size th 1%nat) = G -> utility pair M th r 0 = G - charge g (cost r 1%nat).
Proof.
  intros V H1 H2 Hg Hc HG. unfold utility, bought, sold. cbn [M buys price]. rewrite (buys_it r g V Hg Hc). change (others pair 0) with [1%nat]. cbn [sum mem existsb].
  rewrite (buys_nothing r V H1 H2). cbn [existsb]. rewrite (whole r g V Hg Hc). unfold value, data, samples. cbn. unfold plain.
  rewrite !Rplus_0_r. rewrite HG. reflexivity.
Qed.
Lemma seller_utility (th r : types reals) g : valid pair r -> gain r 1%nat = 0 -> 0 < cost r 0%nat -> rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g ->
  utility pair M th r 1 = charge g (cost r 1%nat) - cost th 1%nat.
Proof.
  intros V H1 H2 Hg Hc. unfold utility, bought, sold. cbn [M buys price]. rewrite (buys_nothing r V H1 H2). change (others pair 1) with [0%nat]. cbn [sum mem existsb].
  rewrite (buys_it r g V Hg Hc). cbn [existsb Nat.eqb orb]. rewrite (whole r g V Hg Hc). unfold value, data. cbn. unfold rlaw.
  rewrite !Rplus_0_r. lra.
Qed.
Lemma pair_not_dsic_gain : ~ dsic_gain pair M.
Proof.
  intro D. set (t := buyer_and_seller 300). specialize (D t t 0%nat 900 ltac:(cbn; lia) ltac:(split; [reflexivity|reflexivity])).
  rewrite (buyer_utility t (set_gain t 0 900) (3/2) 3), (buyer_utility t (set_gain t 0 (gain t 0%nat)) 3 3) in D; try reflexivity; try said_valid; cbn; try lra.
  - apply le_R in D. cbn in D. lra.
  - apply (law_at _ _ _ 6 3); lra.
  - apply (law_at _ _ _ 6 3); lra.
  - apply (law_at _ _ _ 3 (3/2)); lra.
  - apply (law_at _ _ _ 6 3); lra.
Qed.
Lemma pair_not_dsic_size : ~ dsic_size pair M.
Proof.
  intro D. set (t := buyer_and_seller 300). specialize (D t t 1%nat 800 ltac:(cbn; lia)).
  rewrite (seller_utility t (say t 1 (cost t 1%nat) (gain t 1%nat) 800) 4), (seller_utility t (say t 1 (cost t 1%nat) (gain t 1%nat) (size t 1%nat)) 3) in D;
    try reflexivity; try said_valid; cbn; try lra.
  - apply le_R in D. cbn in D. lra.
  - apply (law_at _ _ _ 6 3); lra.
  - apply (law_at _ _ _ 6 2); lra.
Qed.
End Price.

Section Any.
Variable sel : types reals -> nat -> list nat.
Hypothesis exact : exact_rule reals pair sel.
(** The buyer buys where the gain exceeds the cost, the seller, who gains nothing, does not buy at a cost. *)
Lemma buys_it (r : types reals) g : rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g -> sel r 0 = [1%nat].
Proof.
  intros G H. pose proof (sel_in _ _ _ exact r 0%nat) as I. rewrite subsets_0 in I. destruct I as [<-|[E|[]]]; [reflexivity|exfalso].
  pose proof (sel_best _ _ _ exact r 0%nat [1%nat]) as B. rewrite <- E, objective_none, objective_one, G in B.
  specialize (B ltac:(rewrite subsets_0; now left)). apply le_R in B. cbn in B. lra.
Qed.
Lemma buys_nothing (r : types reals) : gain r 1%nat = 0 -> 0 < cost r 0%nat -> sel r 1 = [].
Proof.
  intros G H. pose proof (sel_in _ _ _ exact r 1%nat) as I. rewrite subsets_1 in I. destruct I as [E|[<-|[]]]; [exfalso|reflexivity].
  pose proof (sel_best _ _ _ exact r 1%nat []) as B. rewrite <- E, objective_none, objective_one, G, law_no_gain in B.
  specialize (B ltac:(apply subsets_nil)). apply le_R in B. cbn in B. lra.
Qed.
Lemma top_alone r : top pair r 0 (without 1 (others pair 0)) = 0.
Proof.
  unfold top, best. change (subsets (without 1 (others pair 0))) with [@nil nat]. cbn [argmax]. destruct (leb _ _); apply objective_none.
Qed.
(** Both rules charge the whole gain of the only seller. *)
Lemma critical_pair (r : types reals) g : rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g -> critical reals pair r 0 1 = g.
Proof.
  intros G H. unfold critical. rewrite <- (sel_top _ _ _ exact), (buys_it r g G H), objective_one, G, top_alone. cbn. lra.
Qed.
Lemma contribution_pair (r : types reals) g : rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g -> contribution reals pair sel r 0 1 = g.
Proof.
  intros G H. unfold contribution. rewrite (free_pen 2), (buys_it r g G H). unfold marginal.
  pose proof (objective_one 2 r 0%nat 1%nat) as A. pose proof (objective_none 2 r 0%nat) as B. unfold objective in A, B. cbn [sum] in A, B. rewrite free_weight in A.
  rewrite G in A. change (without 1 [1%nat]) with (@nil nat). cbn in *. lra.
Qed.
Theorem exact_marginal_not_dsic_gain : ~ dsic_gain pair (exact_marginal reals pair sel).
Proof. apply (pair_not_dsic_gain _ _ (fun g _ => g)); intros; try lra; eauto using buys_it, buys_nothing, contribution_pair. Qed.
Theorem exact_marginal_not_dsic_size : ~ dsic_size pair (exact_marginal reals pair sel).
Proof. apply (pair_not_dsic_size _ _ (fun g _ => g)); intros; try lra; eauto using buys_it, buys_nothing, contribution_pair. Qed.
Theorem ipfl_exact_not_dsic_gain : ~ dsic_gain pair (ipfl_exact reals pair sel).
Proof. apply (pair_not_dsic_gain _ _ (fun g _ => g)); intros; try lra; eauto using buys_it, buys_nothing, critical_pair. Qed.
Theorem ipfl_exact_not_dsic_size : ~ dsic_size pair (ipfl_exact reals pair sel).
Proof. apply (pair_not_dsic_size _ _ (fun g _ => g)); intros; try lra; eauto using buys_it, buys_nothing, critical_pair. Qed.
(** Under the two-sided pivot the seller is paid the same, by the centre. *)
Lemma two_sided_seller th r g : valid pair r -> gain r 1%nat = 0 -> 0 < cost r 0%nat -> rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) = g -> cost r 1%nat < g ->
  two_utility reals pair sel th r 1 = g - cost th 1%nat.
Proof.
  intros V H1 H2 Hg Hc. rewrite <- (seller_utility sel _ (fun g _ => g) (fun r g _ => buys_it r g) (fun r _ => buys_nothing r) (fun r g _ => critical_pair r g) th r g V H1 H2 Hg Hc).
  unfold two_utility, two_bought, utility, bought. cbn [ipfl_exact buys price]. rewrite (buys_nothing r H1 H2). reflexivity.
Qed.
Theorem two_sided_not_dsic_size : ~ forall th r i n, (i < 2)%nat ->
  (two_utility reals pair sel th (say r i (cost th i) (gain th i) n) i <= two_utility reals pair sel th (say r i (cost th i) (gain th i) (size th i)) i)%num.
Proof.
  intro D. set (t := buyer_and_seller 300). specialize (D t t 1%nat 800 ltac:(lia)).
  rewrite (two_sided_seller t (say t 1 (cost t 1%nat) (gain t 1%nat) 800) 4), (two_sided_seller t (say t 1 (cost t 1%nat) (gain t 1%nat) (size t 1%nat)) 3) in D;
    try reflexivity; try said_valid; cbn; try lra.
  - apply le_R in D. cbn in D. lra.
  - apply (law_at _ _ _ 6 3); lra.
  - apply (law_at _ _ _ 6 2); lra.
Qed.
(** The two-sided pivot: the centre pays 3 and receives 1. *)
Theorem two_sided_not_balanced : (centre reals pair sel (buyer_and_seller 300) < 0)%num.
Proof.
  set (t := buyer_and_seller 300). apply (two_sided_deficit _ _ _ exact t 0%nat 1%nat); [reflexivity| |cbn; lia| |].
  - intros i _. unfold t. destruct i; cbn; lra.
  - rewrite (buys_it t 3); [now left| |cbn; lra]. cbn. apply (law_at _ _ _ 6 3); lra.
  - rewrite top_alone, <- (sel_top _ _ _ exact), (buys_it t 3), objective_one; [|cbn; apply (law_at _ _ _ 6 3); lra|cbn; lra].
    apply lt_R. cbn. rewrite (law_at _ _ _ 6 3 3); lra.
Qed.
End Any.

(** posted-price at 2: 44 samples, worth 1, are not bought; said to be 300, worth 3, they are. *)
Definition two_each (_ : nat -> R) (_ _ : nat) : R := 2.
Section PostedSize.
Variable sel : types reals -> nat -> list nat.
Hypothesis rule : posted_rule reals pair two_each sel.
Lemma surplus_one (r : types reals) : surplus reals pair two_each r 0 [1%nat] = rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) - 2.
Proof.
  unfold surplus, value, data, samples. cbn. unfold plain, two_each. rewrite !Rplus_0_r. reflexivity.
Qed.
Lemma surplus_none (r : types reals) i : surplus reals pair two_each r i [] = 0.
Proof. unfold surplus, value, data. cbn. unfold rlaw. rewrite !Rplus_0_r. lra. Qed.
Lemma posted_buys_iff (r : types reals) : cost r 1%nat <= 2 -> let g := rlaw (gain r 0%nat) (size r 0%nat) (size r 0%nat + size r 1%nat) in
  (2 < g -> sel r 0 = [1%nat]) /\ (g < 2 -> sel r 0 = []).
Proof.
  intros Hc g. assert (W : subsets (willing reals pair two_each r 0) = [[1]; []]%nat).
  { unfold willing. change (others pair 0) with [1%nat]. cbn [filter]. replace (leb (cost r 1%nat) (two_each (size r) 0 1)) with true; [reflexivity|].
    symmetry. now apply le_R. }
  pose proof (offer_in _ _ _ _ _ _ rule r 0%nat) as I. pose proof (offer_top _ _ _ _ _ rule r 0%nat : forall s, _ -> le (surplus reals pair two_each r 0 s) (surplus reals pair two_each r 0 _)) as T. rewrite W in I, T.
  destruct I as [E|[E|[]]]; (split; intro H; [|]); try (now rewrite <- E); exfalso; rewrite <- E in T.
  - specialize (T [] ltac:(right; now left)). rewrite surplus_one, surplus_none in T. apply le_R in T. fold g in T. cbn in T. lra.
  - specialize (T [1%nat] ltac:(now left)). rewrite surplus_one, surplus_none in T. apply le_R in T. fold g in T. cbn in T. lra.
Qed.
Theorem posted_not_dsic_size : ~ dsic_size pair (posted reals two_each sel).
Proof.
  intro D. set (t := buyer_and_seller 44). specialize (D t t 1%nat 300 ltac:(cbn; lia)).
  set (l := say t 1 (cost t 1%nat) (gain t 1%nat) 300) in *. set (h := say t 1 (cost t 1%nat) (gain t 1%nat) (size t 1%nat)) in *.
  assert (Sl : sel l 0 = [1%nat]). { apply posted_buys_iff; cbn; [lra|]. rewrite (law_at _ _ _ 6 3 3); lra. }
  assert (Sh : sel h 0 = []). { apply posted_buys_iff; cbn; [lra|]. rewrite (law_at _ _ _ 6 5 1); lra. }
  assert (B : forall r : types reals, bought pair (posted reals two_each sel) t r 1 = value pair t 1 (sel r 1) - @sum reals nat (two_each (size r) 1) (sel r 1)) by reflexivity.
  assert (Z : forall s, value pair t 1 s = 0) by (intro s; unfold value; cbn; apply law_no_gain).
  assert (N1 : forall r : types reals, gain r 1%nat = 0 -> sel r 1 = []).
  { intros r G. pose proof (offer_in _ _ _ _ _ _ rule r 1%nat) as I. pose proof (offer_top _ _ _ _ _ rule r 1%nat [] (subsets_nil _) : le (surplus reals pair two_each r 1 _) (surplus reals pair two_each r 1 _)) as T.
    rewrite surplus_none in T. apply subsets_filter_sub in I. rewrite subsets_1 in I. destruct I as [E|[E|[]]]; [exfalso|auto].
    rewrite <- E in T. unfold surplus, value in T. cbn in T. unfold two_each in T. rewrite G, law_no_gain in T. apply le_R in T. lra. }
  unfold utility in D. rewrite !B, !Z, (N1 l eq_refl), (N1 h eq_refl) in D. unfold sold in D. change (others pair 1) with [0%nat] in D. cbn [sum posted buys price mem existsb] in D.
  rewrite Sl, Sh in D. cbn [existsb Nat.eqb orb] in D. apply le_R in D. unfold posted_price, two_each in D. cbn in D. lra.
Qed.
End PostedSize.
(** Without payments a seller is out of pocket, and what is chosen is not efficient where costs exceed gains. *)
Theorem no_payment_not_ir_seller : ~ ir_seller pair (no_payment reals pair).
Proof.
  intro I. set (t := buyer_and_seller 300). specialize (I t t 1%nat (free_valid 2)).
  assert (V : valid pair t). { intros i _. rewrite !le_R, lt_R. destruct i; cbn; lra. }
  specialize (I V ltac:(cbn; lia) eq_refl). apply le_R in I. cbn in I. lra.
Qed.
Theorem no_payment_not_ir : ~ ir pair (no_payment reals pair).
Proof.
  intro I. set (t := buyer_and_seller 300). specialize (I t t 1%nat (free_valid 2)).
  assert (V : valid pair t). { intros i _. rewrite !le_R, lt_R. destruct i; cbn; lra. }
  specialize (I V ltac:(cbn; lia) ltac:(now split) eq_refl eq_refl). apply le_R in I. unfold utility, bought, sold, value in I. cbn in I.
  rewrite law_no_gain in I. cbn in I. lra.
Qed.
Theorem no_payment_not_efficient : ~ efficient pair (no_payment reals pair).
Proof.
  intro F. set (t := @Types reals (fun _ => 100) (fun _ => 1) (fun _ => 0)).
  specialize (F t (fun _ => []) (fun i _ => subsets_nil _)). change (seq 0 (clients pair)) with [0; 1]%nat in F. cbn [sum] in F.
  cbn [no_payment buys] in F. change (others pair 0) with [1%nat] in F. change (others pair 1) with [0%nat] in F.
  rewrite !objective_none, !objective_one in F. cbn [t gain size cost] in F. rewrite !law_no_gain in F. apply le_R in F. cbn in F. lra.
Qed.
