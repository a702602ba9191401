(** * Expectations: what holds of every profile holds on average over every finite prior

    A prior is a list of profiles with chances of at least 0: of independent types or not, and given i's own type or not.  The others
    tell the truth, i lies about its own numbers.  [u th r i] is any utility, that of a mechanism or of one with a centre. *)
From Coq Require Import List Arith Bool Lia Ring Field.
From MarketKernel Require Import base.Num base.Sets market.Market market.Facts.
Import ListNotations.

Section Prior.
Variable N : num.
Add Field field_prior : (num_field N).
Local Open Scope num_scope.
Variable E : market N.
Notation types := (types N).
Definition prior := list (N * types).
Definition chances (p : prior) : Prop := forall x, In x p -> 0 <= fst x.
Definition mean (p : prior) (f : types -> N) : N := sum (fun x => fst x * f (snd x)) p.
Lemma mean_le p f g : chances p -> (forall x, In x p -> f (snd x) <= g (snd x)) -> mean p f <= mean p g.
Proof. intros C H. apply sum_le. intros x Hx. apply le_mul; [now apply C|now apply H]. Qed.

Variable u : types -> types -> nat -> N.
(** Ex post and Bayesian truth in a coordinate, and in all three at once. *)
Definition lie_cost (th : types) i b := set_cost th i b.
Definition lie_gain (th : types) i b := set_gain th i b.
Definition lie_size (th : types) i b := set_size th i b.
Definition expost (lie : types -> nat -> N -> types) (own : types -> nat -> N) : Prop := forall th i b, (i < clients E)%nat -> u th (lie th i b) i <= u th (lie th i (own th i)) i.
Definition expost_all : Prop := forall th i c k n, (i < clients E)%nat -> u th (say th i c k n) i <= u th (say th i (cost th i) (gain th i) (size th i)) i.
Definition bic (lie : types -> nat -> N -> types) (own : types -> nat -> N) : Prop := forall p i b, chances p -> (i < clients E)%nat ->
  mean p (fun th => u th (lie th i b) i) <= mean p (fun th => u th (lie th i (own th i)) i).
Definition bic_all : Prop := forall p i c k n, chances p -> (i < clients E)%nat ->
  mean p (fun th => u th (say th i c k n) i) <= mean p (fun th => u th (say th i (cost th i) (gain th i) (size th i)) i).
Definition interim_ir : Prop := forall p i, chances p -> valid_market E -> (forall x, In x p -> valid E (snd x)) -> (i < clients E)%nat -> 0 <= mean p (fun th => u th th i).
Theorem expost_bic lie own : expost lie own -> bic lie own.
Proof. intros X p i b C Hi. apply mean_le; [exact C|]. intros x _. now apply X. Qed.
Theorem expost_bic_all : expost_all -> bic_all.
Proof. intros X p i c k n C Hi. apply mean_le; [exact C|]. intros x _. now apply X. Qed.
Theorem ir_interim : (forall th i, valid_market E -> valid E th -> (i < clients E)%nat -> 0 <= u th th i) -> interim_ir.
Proof. intros X p i C VM V Hi. apply sum_nonneg. intros x Hx. apply mul_nonneg; [now apply C|]. apply X; auto. Qed.
(** A lie that gains at most eps in every profile gains at most eps times the chances on average. *)
Theorem regret_mean (eps : nat -> N) : (forall th i b, (i < clients E)%nat -> u th (lie_cost th i b) i <= u th (lie_cost th i (cost th i)) i + eps i) ->
  forall p i b, chances p -> (i < clients E)%nat -> mean p (fun th => u th (lie_cost th i b) i) <= mean p (fun th => u th (lie_cost th i (cost th i)) i) + mean p (fun _ => eps i).
Proof.
  intros X p i b C Hi. unfold mean. rewrite <- sum_add. apply sum_le. intros x Hx.
  pose proof (le_mul N _ _ (fst x) (C x Hx) (X (snd x) i b Hi)) as H. slack1 H.
Qed.
End Prior.
Arguments expost {_}. Arguments expost_all {_}. Arguments bic {_}. Arguments bic_all {_}. Arguments interim_ir {_}. Arguments mean {_}. Arguments chances {_}.

(** Dominant strategies are ex post, and so Bayesian; rationality is interim rationality. *)
Section Mechanisms.
Variable N : num.
Variable E : market N.
Variable M : mechanism N.
Add Field field_prior' : (num_field N).
Local Open Scope num_scope.
Theorem dsic_expost : (dsic_cost E M -> expost E (utility E M) (lie_cost N) cost) /\ (dsic_gain E M -> expost E (utility E M) (lie_gain N) gain) /\
  (dsic E M -> expost_all E (utility E M)).
Proof.
  split; [|split].
  - intros D th i b Hi. exact (D th th i b Hi).
  - intros D th i b Hi. apply (D th th i b Hi). now split.
  - intros D th i c k n Hi. exact (D th th i c k n Hi).
Qed.
Theorem dsic_bic : (dsic_cost E M -> bic E (utility E M) (lie_cost N) cost) /\ (dsic_gain E M -> bic E (utility E M) (lie_gain N) gain) /\
  (dsic E M -> bic_all E (utility E M)).
Proof. destruct dsic_expost as (C & G & A). repeat split; intro D; [apply expost_bic|apply expost_bic|apply expost_bic_all]; auto. Qed.
Theorem ir_interim_ir : ir E M -> interim_ir E (utility E M).
Proof. intro R. apply ir_interim. intros th i VM V Hi. apply R; auto. now split. Qed.
(** The centre keeps nothing where what is paid is received, so that it loses nothing. *)
Theorem balanced_weakly : balanced E M -> forall r, 0 <= sum (fun i => paid M r i - received E M r i) (seq 0 (clients E)).
Proof.
  intros B r. specialize (B r). rewrite sum_sub in *. apply le_eq. revert B. generalize (sum (received E M r) (seq 0 (clients E))) (sum (paid M r) (seq 0 (clients E))).
  intros a b B. replace (b - a) with (0 - (a - b)) by ring. rewrite B. ring.
Qed.
End Mechanisms.
