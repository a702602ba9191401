// What a page is about counts more than a function of that name: Sphinx's scores, those of objects lowered.
var Scorer = {
  objNameMatch: 2,
  objPartialMatch: 1,
  objPrio: { 0: 2, 1: 0, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
