(** * Finite sets of clients, sums over them, and a maximiser

    A set is a list without repetition.  [subsets l] lists all of them, each in the order of [l]; [argmax f b l] is the
    first best of [b] and [l], so that ties are broken by position and by nothing else. *)
From Coq Require Import List Arith Bool Permutation Lia Ring Field.
From MarketKernel Require Import base.Num.
Import ListNotations.

Definition mem (j : nat) (s : list nat) : bool := existsb (Nat.eqb j) s.
Definition without (j : nat) (s : list nat) : list nat := filter (fun k => negb (Nat.eqb j k)) s.
Fixpoint subsets (l : list nat) : list (list nat) :=
  match l with [] => [[]] | x :: t => map (cons x) (subsets t) ++ subsets t end.

Lemma mem_In j s : mem j s = true <-> In j s.
Proof.
  unfold mem. rewrite existsb_exists. split.
  - intros (x & H & E). apply Nat.eqb_eq in E. now subst.
  - intro H. exists j. split; [assumption|apply Nat.eqb_refl].
Qed.
Lemma mem_not_In j s : mem j s = false <-> ~ In j s.
Proof. rewrite <- mem_In. destruct (mem j s); split; congruence. Qed.
Lemma without_In k j s : In k (without j s) <-> In k s /\ k <> j.
Proof. unfold without. rewrite filter_In. rewrite negb_true_iff, Nat.eqb_neq. intuition. Qed.
Lemma without_absent j s : ~ In j s -> without j s = s.
Proof.
  induction s as [|x t IH]; [reflexivity|]; cbn. intro H. destruct (Nat.eqb_spec j x); cbn.
  - subst. exfalso. apply H. now left.
  - f_equal. apply IH. intro. apply H. now right.
Qed.
Lemma without_NoDup j s : NoDup s -> NoDup (without j s).
Proof. apply NoDup_filter. Qed.

Lemma subsets_nil l : In [] (subsets l).
Proof. induction l; cbn; [now left|]. apply in_or_app. now right. Qed.
Lemma subsets_cons s x t : In s (subsets (x :: t)) <-> (exists u, s = x :: u /\ In u (subsets t)) \/ In s (subsets t).
Proof.
  cbn. rewrite in_app_iff, in_map_iff. split; intros [H|H]; auto; left; destruct H as (u & ? & ?); exists u; auto.
Qed.
Lemma subsets_incl s l : In s (subsets l) -> incl s l.
Proof.
  revert s. induction l as [|x t IH]; intros s H.
  - destruct H as [<-|[]]. apply incl_refl.
  - apply subsets_cons in H. destruct H as [(u & -> & H)|H].
    + apply incl_cons; [now left|]. apply incl_tl. auto.
    + apply incl_tl. auto.
Qed.
Lemma subsets_NoDup s l : NoDup l -> In s (subsets l) -> NoDup s.
Proof.
  revert s. induction l as [|x t IH]; intros s N H.
  - destruct H as [<-|[]]. constructor.
  - inversion_clear N. apply subsets_cons in H. destruct H as [(u & -> & H)|H]; auto.
    constructor; [|now apply IH]. intro F. apply (subsets_incl _ _ H) in F. contradiction.
Qed.
Lemma subsets_filter_sub f s l : In s (subsets (filter f l)) -> In s (subsets l).
Proof.
  revert s. induction l as [|x t IH]; intros s H; [assumption|]. cbn in H. rewrite subsets_cons.
  destruct (f x); [|auto]. apply subsets_cons in H. destruct H as [(u & -> & H)|H]; [left; eauto|auto].
Qed.
Lemma subsets_filter f s l : In s (subsets l) -> In (filter f s) (subsets (filter f l)).
Proof.
  revert s. induction l as [|x t IH]; intros s H.
  - destruct H as [<-|[]]. now left.
  - apply subsets_cons in H. destruct H as [(u & -> & H)|H]; cbn; destruct (f x); auto; rewrite subsets_cons; eauto.
Qed.
Lemma subsets_without s j l : In s (subsets l) -> ~ In j s -> In s (subsets (without j l)).
Proof. intros H F. rewrite <- (without_absent j s F). now apply subsets_filter. Qed.

Section Sums.
Variable N : num.
Add Field numf2 : (num_field N).
Local Open Scope num_scope.

Fixpoint sum {A : Type} (f : A -> N) (l : list A) : N := match l with [] => 0 | x :: t => f x + sum f t end.

Lemma sum_ext {A} (f g : A -> N) l : (forall x, In x l -> f x = g x) -> sum f l = sum g l.
Proof. induction l as [|x t IH]; intro H; cbn; [reflexivity|]. rewrite (H x), IH; [reflexivity| |now left]. intros. apply H. now right. Qed.
Lemma sum_le {A} (f g : A -> N) l : (forall x, In x l -> f x <= g x) -> sum f l <= sum g l.
Proof.
  induction l as [|x t IH]; intro H; cbn; [apply le_refl|].
  refine (lin2 _ _ _ _ _ _ _ (H x (or_introl eq_refl)) (IH (fun y Hy => H y (or_intror Hy))) _). ring.
Qed.
Lemma sum_nonneg {A} (f : A -> N) l : (forall x, In x l -> 0 <= f x) -> 0 <= sum f l.
Proof.
  induction l as [|x t IH]; intro H; cbn; [apply le_refl|].
  apply add_nonneg; [apply H; now left|apply IH; intros; apply H; now right].
Qed.
Lemma sum_add {A} (f g : A -> N) l : sum (fun x => f x + g x) l = sum f l + sum g l.
Proof. induction l as [|x t IH]; cbn; [ring|]. rewrite IH. ring. Qed.
Lemma sum_sub {A} (f g : A -> N) l : sum (fun x => f x - g x) l = sum f l - sum g l.
Proof. induction l as [|x t IH]; cbn; [ring|]. rewrite IH. ring. Qed.
Lemma sum_zero {A} (l : list A) : sum (fun _ => 0) l = 0.
Proof. induction l as [|x t IH]; cbn; [reflexivity|]. rewrite IH. ring. Qed.
Lemma sum_swap {A B} (f : A -> B -> N) l l' :
  sum (fun x => sum (f x) l') l = sum (fun y => sum (fun x => f x y) l) l'.
Proof. induction l as [|x t IH]; cbn; [now rewrite sum_zero|]. now rewrite IH, sum_add. Qed.
Lemma sum_perm {A} (f : A -> N) l l' : Permutation l l' -> sum f l = sum f l'.
Proof. induction 1 as [|? ? ? ? IH| |? ? ? ? IH ? IH']; cbn; [reflexivity|now rewrite IH|ring|now rewrite IH]. Qed.
Lemma sum_filter {A} (f : A -> N) p l : sum f (filter p l) = sum (fun x => if p x then f x else 0) l.
Proof. induction l as [|x t IH]; cbn; [reflexivity|]. destruct (p x); cbn; rewrite IH; ring. Qed.
Lemma sum_within (f : nat -> N) s l : NoDup s -> NoDup l -> incl s l ->
  sum f s = sum (fun j => if mem j s then f j else 0) l.
Proof.
  intros Hs Hl H. rewrite <- sum_filter. apply sum_perm, NoDup_Permutation; [assumption|now apply NoDup_filter|].
  intro x. rewrite filter_In, mem_In. split; [auto|now intros []].
Qed.
Lemma sum_without (f : nat -> N) j s : NoDup s -> In j s -> sum f s = f j + sum f (without j s).
Proof.
  induction s as [|x t IH]; intros Hs H; [destruct H|]. inversion_clear Hs. cbn. destruct (Nat.eqb_spec j x); cbn.
  - subst. f_equal. f_equal. symmetry. now apply without_absent.
  - destruct H as [->|H]; [congruence|]. fold (without j t). rewrite (IH ltac:(assumption) H). ring.
Qed.

(** The first of the best. *)
Fixpoint argmax {A : Type} (f : A -> N) (best : A) (l : list A) : A :=
  match l with [] => best | x :: t => argmax f (if leb (f x) (f best) then best else x) t end.
Lemma argmax_In {A} (f : A -> N) b l : In (argmax f b l) (b :: l).
Proof.
  revert b. induction l as [|x t IH]; intro b; cbn; [now left|].
  destruct (IH (if leb (f x) (f b) then b else x)) as [E|E]; [|now right; right].
  rewrite <- E. destruct (leb (f x) (f b)); auto.
Qed.
Lemma argmax_best {A} (f : A -> N) b l x : In x (b :: l) -> f x <= f (argmax f b l).
Proof.
  revert b x. induction l as [|y t IH]; intros b x H; cbn.
  - destruct H as [<-|[]]. apply le_refl.
  - set (c := if leb (f y) (f b) then b else y).
    assert (Hb : forall z, f z <= f c -> f z <= f (argmax f c t)).
    { intros z Hz. apply (le_trans _ _ _ _ Hz), IH. now left. }
    destruct H as [<-|[<-|H]]; [apply Hb|apply Hb|apply IH; now right];
      subst c; destruct (leb (f y) (f b)) eqn:E; try apply le_refl; try assumption; now apply leb_total.
Qed.
Lemma argmax_ext {A} (f g : A -> N) b l : (forall x, In x (b :: l) -> f x = g x) -> argmax f b l = argmax g b l.
Proof.
  revert b. induction l as [|x t IH]; intros b H; cbn; [reflexivity|].
  rewrite (H b), (H x); [|now right; left|now left]. apply IH. intros z Hz. apply H.
  destruct Hz as [<-|Hz]; [|now right; right]. destruct (leb (g x) (g b)); auto. now left. now right; left.
Qed.
End Sums.
Arguments sum {_ _}. Arguments argmax {_ _}.
