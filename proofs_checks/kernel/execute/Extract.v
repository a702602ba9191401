(** * Extraction to OCaml: writes [agrees.ml] and [agrees.mli] where it is compiled *)
From Coq Require Import ZArith Extraction ExtrOcamlBasic.
From MarketKernel Require Import execute.Compare.
Extraction Language OCaml.
Extraction "agrees.ml" agrees certified_by touching ratio.
