(** * The certificate of a clearing implies that it is optimal and correctly priced

    The format of [mechanism/market/allocation/optimality.py]: a problem is a list of sellers (all others, or all but j); its tree
    decides on sellers in any order; a leaf holds a slope mu >= 0 and a level C with law(x) <= C + mu x for every x > 0.  A leaf
    bounds the canonical sets that hold A and nothing of O: sellers that dominate a member of A are in A, sellers that a member
    of O dominates are in O.  Every set is no better than some canonical one. *)
From Coq Require Import List Arith Bool Lia Permutation Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts market.Laws.
Import ListNotations.

Section Problem.
Variable N : num.
Add Field field_clearing : (num_field N).
Local Open Scope num_scope.
(** Of one importer: the law in total data, its own data, what each seller brings and asks; and the sellers of the problem. *)
Variables (law_at : N -> N) (own : N) (e w : nat -> N) (l : list nat).
Hypothesis once : NoDup l.
Hypothesis own_data : 0 < own.
Hypothesis brings : forall j, In j l -> 0 <= e j.
Hypothesis rises : forall x d, 0 < x -> 0 <= d -> law_at x <= law_at (x + d).
Definition worth_of (s : list nat) : N := law_at (own + sum e s) - sum w s.
(** a dominates b: brings no less for no more, and stands first if both are equal. *)
Definition dominates (a b : nat) : bool := leb (e b) (e a) && leb (w a) (w b) && (negb (leb (e a) (e b) && leb (w b) (w a)) || (a <? b)).
(** Sellers in the order of exchanges: price rising, samples falling, place. *)
Definition ahead (a b : nat) : bool :=
  leb (w a) (w b) && (negb (leb (w b) (w a)) || (leb (e b) (e a) && (negb (leb (e a) (e b)) || (a <? b)))).
Definition place (b : nat) : nat := length (filter (fun a => ahead a b) l).
Lemma le_true (x y : N) : leb x y = true <-> x <= y. Proof. reflexivity. Qed.
Lemma ahead_irrefl a : ahead a a = false.
Proof.
  unfold ahead. pose proof (le_refl N (w a)) as A. pose proof (le_refl N (e a)) as B. unfold le in A, B. rewrite A, B, Nat.ltb_irrefl. reflexivity.
Qed.
Lemma ahead_trans a b c : ahead a b = true -> ahead b c = true -> ahead a c = true.
Proof.
  unfold ahead. rewrite !andb_true_iff, !orb_true_iff, !andb_true_iff, !orb_true_iff, !negb_true_iff, !Nat.ltb_lt.
  intros [P Q] [P' Q']. split; [exact (le_trans N _ _ _ P P')|].
  destruct (leb (w c) (w a)) eqn:F; [|now left]. right.
  assert (F1 : leb (w b) (w a) = true) by exact (le_trans N _ _ _ P' F). assert (F2 : leb (w c) (w b) = true) by exact (le_trans N _ _ _ F P).
  destruct Q as [Q|[Q1 Q2]]; [congruence|]. destruct Q' as [Q'|[Q1' Q2']]; [congruence|].
  split; [exact (le_trans N _ _ _ Q1' Q1)|]. destruct (leb (e a) (e c)) eqn:G; [|now left]. right.
  assert (G1 : leb (e a) (e b) = true) by exact (le_trans N _ _ _ G Q1'). assert (G2 : leb (e b) (e c) = true) by exact (le_trans N _ _ _ Q1 G).
  destruct Q2 as [Q2|Q2]; [congruence|]. destruct Q2' as [Q2'|Q2']; [congruence|]. lia.
Qed.
Lemma dominates_ahead a b : dominates a b = true -> ahead a b = true.
Proof.
  unfold dominates, ahead. rewrite !andb_true_iff, !orb_true_iff, !andb_true_iff, !orb_true_iff, !negb_true_iff, andb_false_iff, !Nat.ltb_lt.
  intros [[P Q] R]. split; [exact Q|]. destruct (leb (w b) (w a)) eqn:F; [|now left]. right. split; [exact P|]. destruct R as [[R|R]|R]; auto. congruence.
Qed.
Lemma place_less a b : In a l -> ahead a b = true -> (place a < place b)%nat.
Proof.
  intros Ha H. unfold place. assert (G : forall t, (length (filter (fun c => ahead c a) t) <= length (filter (fun c => ahead c b) t))%nat /\
    (In a t -> length (filter (fun c => ahead c a) t) < length (filter (fun c => ahead c b) t))%nat).
  { induction t as [|c t [I J]]; cbn; [split; [lia|tauto]|].
    assert (T : ahead c a = true -> ahead c b = true) by (intro T; exact (ahead_trans c a b T H)).
    destruct (ahead c a) eqn:F.
    - rewrite T by reflexivity. cbn. split; [lia|]. intros [->|K]; [rewrite ahead_irrefl in F; discriminate|]. specialize (J K). lia.
    - destruct (ahead c b) eqn:F'; cbn; split; try lia; intros [->|K]; try congruence; try (specialize (J K)); lia. }
  now apply G.
Qed.
Definition canonical (s : list nat) : Prop := forall a b, In a l -> In b s -> dominates a b = true -> In a s.
Definition within (s : list nat) : Prop := NoDup s /\ incl s l.
Definition places (s : list nat) : nat := fold_right (fun b n => place b + n)%nat O s.
Lemma list_sum_without b s : NoDup s -> In b s -> places s = (place b + places (without b s))%nat.
Proof.
  induction s as [|c s IH]; intros Hn []; inversion_clear Hn; change (places (c :: s)) with (place c + places s)%nat.
  - subst. unfold without. cbn [filter]. rewrite Nat.eqb_refl. cbn [negb]. fold (without b s). now rewrite without_absent.
  - unfold without. cbn [filter]. fold (without b s). destruct (Nat.eqb_spec b c) as [->|D]; [contradiction|]. cbn [negb]. change (places (c :: without b s)) with (place c + places (without b s))%nat. rewrite (IH H1 H). lia.
Qed.
(** One exchange: the dominating seller in the other's place is no worse. *)
Lemma exchange a b s : within s -> In a l -> In b s -> ~ In a s -> dominates a b = true ->
  within (a :: without b s) /\ worth_of s <= worth_of (a :: without b s) /\ (places (a :: without b s) < places s)%nat.
Proof.
  intros [Hn Hi] Ha Hb Hx D. pose proof (dominates_ahead a b D) as A. unfold dominates in D. rewrite !andb_true_iff in D. destruct D as [[P Q] _].
  split; [split|split].
  - constructor; [|now apply without_NoDup]. intro C. apply without_In in C. tauto.
  - intros c [<-|C]; [exact Ha|]. apply without_In in C. apply Hi. tauto.
  - unfold worth_of. rewrite (sum_without _ e b s Hn Hb), (sum_without _ w b s Hn Hb). cbn [sum]. set (r := sum e (without b s)). set (v := sum w (without b s)).
    assert (Pr : 0 <= r). { apply sum_nonneg. intros c C. apply without_In in C. apply brings, Hi. tauto. }
    pose proof (le_diff _ _ _ P) as Pd. change (e b <= e a) in P. change (w a <= w b) in Q.
    assert (Pos : 0 < own + (e b + r)). { apply add_positive; [exact own_data|]. apply add_nonneg; [now apply brings, Hi|exact Pr]. }
    pose proof (rises (own + (e b + r)) (e a - e b) Pos Pd) as H. replace (own + (e b + r) + (e a - e b)) with (own + (e a + r)) in H by ring. slack2 H Q.
  - rewrite (list_sum_without b s Hn Hb). change (places (a :: without b s)) with (place a + places (without b s))%nat. pose proof (place_less a b Ha A). lia.
Qed.
Theorem canonical_exists s : within s -> exists t, within t /\ canonical t /\ worth_of s <= worth_of t.
Proof.
  remember (places s) as n eqn:En. revert s En. induction n as [n IH] using lt_wf_ind. intros s -> Hs.
  destruct (existsb (fun p => dominates (fst p) (snd p) && negb (mem (fst p) s)) (list_prod l s)) eqn:F.
  - apply existsb_exists in F as ([a b] & Hp & F). apply in_prod_iff in Hp as [Ha Hb]. cbn in F. apply andb_true_iff in F as [D M].
    apply negb_true_iff, mem_not_In in M. destruct (exchange a b s Hs Ha Hb M D) as (W & J & L).
    destruct (IH _ L _ eq_refl W) as (t & Wt & Ct & Jt). exists t. split; [exact Wt|]. split; [exact Ct|exact (le_trans N _ _ _ J Jt)].
  - exists s. split; [exact Hs|]. split; [|apply le_refl]. intros a b Ha Hb D. destruct (mem a s) eqn:M; [now apply mem_In|].
    exfalso. rewrite <- not_true_iff_false in F. apply F, existsb_exists. exists (a, b). split; [now apply in_prod_iff|]. cbn. now rewrite D, M.
Qed.

(** ** The tree *)
Inductive tree := Leaf (level slope : N) | Ask (seller : nat) (with_it without_it : tree).
Fixpoint lines (t : tree) : Prop := match t with
  | Leaf c mu => 0 <= mu /\ forall x, 0 < x -> law_at x <= c + mu * x | Ask _ t u => lines t /\ lines u end.
Definition taken_too (a : list nat) (j : nat) : bool := existsb (fun b => Nat.eqb j b || dominates j b) a.
Definition left_too (o : list nat) (j : nat) : bool := existsb (fun b => Nat.eqb j b || dominates b j) o.
Definition plus (x : N) : N := if leb 0 x then x else 0.
Definition share (mu : N) (a o : list nat) (j : nat) : N :=
  if left_too o j then 0 else if taken_too a j then mu * e j - w j else plus (mu * e j - w j).
(** Whether every leaf that stands for a canonical set has a bound of at most the limit. *)
Fixpoint bounded (limit : N) (t : tree) (a o : list nat) : bool := match t with
  | Leaf c mu => existsb (fun j => taken_too a j && left_too o j) l || leb (c + mu * own + sum (share mu a o) l) limit
  | Ask j t u => mem j l && (bounded limit t (j :: a) o && bounded limit u a (j :: o)) end.
Lemma plus_above x : x <= plus x.
Proof. unfold plus. destruct (leb 0 x) eqn:F; [apply le_refl|]. now apply leb_total in F. Qed.
Lemma plus_nonneg x : 0 <= plus x.
Proof. unfold plus. destruct (leb 0 x) eqn:F; [exact F|apply le_refl]. Qed.
Lemma bounded_canonical limit s : within s -> canonical s -> forall t a o, lines t -> bounded limit t a o = true ->
  incl a s -> (forall j, In j o -> In j l /\ ~ In j s) -> worth_of s <= limit.
Proof.
  intros [Hn Hi] C. induction t as [c mu|j t IHt u IHu]; intros a o L B Ha Ho; cbn in B.
  - assert (T : forall j, In j l -> taken_too a j = true -> In j s).
    { intros j Hj F. apply existsb_exists in F as (b & Hb & F). apply orb_true_iff in F as [F|F]; [apply Nat.eqb_eq in F; subst; now apply Ha|]. exact (C j b Hj (Ha b Hb) F). }
    assert (O : forall j, In j l -> left_too o j = true -> ~ In j s).
    { intros j Hj F Hs. apply existsb_exists in F as (b & Hb & F). destruct (Ho b Hb) as [Hl Hx]. apply orb_true_iff in F as [F|F]; [apply Nat.eqb_eq in F; subst; contradiction|].
      exact (Hx (C b j Hl Hs F)). }
    apply orb_true_iff in B as [B|B].
    + apply existsb_exists in B as (j & Hj & B). apply andb_true_iff in B as [B1 B2]. exfalso. exact (O j Hj B2 (T j Hj B1)).
    + destruct L as [Hmu L]. change (c + mu * own + sum (share mu a o) l <= limit) in B.
      assert (Ps : 0 <= sum e s) by (apply sum_nonneg; intros; now apply brings, Hi).
      pose proof (L (own + sum e s) (add_positive N own _ own_data Ps)) as H.
      assert (S : sum (fun j => mu * e j - w j) s <= sum (share mu a o) l).
      { rewrite (sum_within N (fun j => mu * e j - w j) s l Hn once Hi). apply sum_le. intros j Hj. unfold share. destruct (mem j s) eqn:M.
        - apply mem_In in M. destruct (left_too o j) eqn:F; [now apply O in F|]. destruct (taken_too a j); [apply le_refl|apply plus_above].
        - apply mem_not_In in M. destruct (left_too o j); [apply le_refl|]. destruct (taken_too a j) eqn:F; [now apply T in F|apply plus_nonneg]. }
      rewrite sum_sub in S. unfold worth_of. assert (E : sum (fun j => mu * e j) s = mu * sum e s). { clear. induction s as [|x s IH]; cbn; [ring|rewrite IH; ring]. }
      rewrite E in S. slack3 H S B.
  - apply andb_true_iff in B as [Bj B]. apply mem_In in Bj. apply andb_true_iff in B as [B1 B2]. destruct L as [L1 L2]. destruct (in_dec Nat.eq_dec j s) as [Hj|Hj].
    + apply (IHt (j :: a) o L1 B1); [intros x [<-|Hx]; auto|exact Ho].
    + apply (IHu a (j :: o) L2 B2 Ha). intros x [<-|Hx]; [now split|auto].
Qed.
(** A tree whose leaves are bounded by the limit bounds every set of the problem. *)
Theorem tree_bounds limit t s : within s -> lines t -> bounded limit t [] [] = true -> worth_of s <= limit.
Proof.
  intros W L B. destruct (canonical_exists s W) as (c & Wc & Cc & J). apply (le_trans N _ _ _ J).
  apply (bounded_canonical limit c Wc Cc t [] [] L B); [intros x []|intros x []].
Qed.
End Problem.
Arguments Leaf {_}. Arguments Ask {_}.

(** ** What a checked certificate says of a clearing *)
Section Clearing.
Variable N : num.
Add Field field_clearing' : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Variables (r : types N) (i : nat).
Hypotheses (sound : valid_market E) (numbers : valid E r) (here : (i < clients E)%nat) (law_rises : rising E).
Notation objective_of := (objective E r i).
Let law_at (x : N) := law E (gain r i) (size r i) x.
Definition certified (limit : N) (t : tree N) (l : list nat) : Prop :=
  lines N law_at t /\ bounded N (size r i) (samples E r i) (weight E r i) l limit t [] [] = true.
Lemma certified_bounds limit t l s : NoDup l -> incl l (others E i) -> certified limit t l -> In s (subsets l) -> objective_of s <= limit.
Proof.
  intros Hn Hl [L B] Hs. destruct (numbers i here) as (P & _ & K).
  assert (A : forall j, In j l -> 0 <= samples E r i j) by (intros j Hj; apply Hl, others_In in Hj; apply samples_nonneg; tauto).
  apply (tree_bounds N law_at (size r i) (samples E r i) (weight E r i) l Hn P A (fun x d Hx Hd => law_rises (gain r i) (size r i) x d K P Hx Hd) limit t s); auto.
  split; [exact (subsets_NoDup s l Hn Hs)|now apply subsets_incl].
Qed.
(** The set bought misses the optimum by at most the limit less its objective. *)
Theorem clearing_optimal limit t s : certified limit t (others E i) -> In s (subsets (others E i)) ->
  objective_of s <= top E r i (others E i) /\ top E r i (others E i) <= limit.
Proof.
  intros C Hs. split; [now apply top_best|]. apply (certified_bounds limit t (others E i)); auto; [apply others_NoDup|apply incl_refl|apply best_In].
Qed.
(** The critical value of j lies between c_j + J(S) - U_j and c_j + U_M - J(T_j), so that a price misses it by at most eps + eps where both gaps are at most eps. *)
Theorem clearing_priced limit limit_j t u s s_j j price eps : certified limit t (others E i) -> certified limit_j u (without j (others E i)) ->
  In s (subsets (others E i)) -> In s_j (subsets (without j (others E i))) ->
  price - (cost r j + objective_of s - limit_j) <= eps + eps -> cost r j + limit - objective_of s_j - price <= eps + eps ->
  price - (cost r j + top E r i (others E i) - top E r i (without j (others E i))) <= eps + eps /\
  (cost r j + top E r i (others E i) - top E r i (without j (others E i))) - price <= eps + eps.
Proof.
  intros C D Hs Hj Low High. destruct (clearing_optimal limit t s C Hs) as [A B].
  assert (A' : objective_of s_j <= top E r i (without j (others E i))) by now apply top_best.
  assert (B' : top E r i (without j (others E i)) <= limit_j).
  { apply (certified_bounds limit_j u (without j (others E i))); auto; [apply without_NoDup, others_NoDup|intros x Hx; now apply without_In in Hx|apply best_In]. }
  split; [slack3 Low A B'|slack3 High B A'].
Qed.
End Clearing.
