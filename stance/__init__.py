"""Who takes which stance toward which named target, sentence by sentence.

from stance import StanceClassifier
classifier = StanceClassifier.from_pretrained()
for p in classifier.predict("Iran thanked China for its support."):
    print(p.holder, p.target, p.stances)
"""

__version__ = "0.1.0"

from stance.actors import Actor, ActorTable
from stance.agreement import Agreement
from stance.audit import Audit
from stance.classifier import StanceClassifier
from stance.comparison import Comparison
from stance.errors import ConfigError, DataError, ModelError, StanceError, TargetError
from stance.evaluation import Evaluation, evaluate, evaluate_excerpts, read_gold
from stance.excerpts import Excerpt, GoldPair, Origin, load_excerpts, save_excerpts
from stance.judgements import load_predictions, save_predictions
from stance.labels import PLOVER_ROOTS, Label, Polarity, Stance
from stance.overview import ActorStance, Overview
from stance.pairs import ANY, AUTHOR, Holder, Pair, make_pairs
from stance.predictions import Document, Prediction
from stance.report import Report
from stance.resolution import How, Resolution, Resolved, resolve_holders
from stance.sentences import Sentence, split_sentences
from stance.targets import Mention, MentionFinder, Target, find_mentions

__all__ = [
    "ANY",
    "AUTHOR",
    "PLOVER_ROOTS",
    "Actor",
    "ActorStance",
    "ActorTable",
    "Agreement",
    "Audit",
    "Comparison",
    "ConfigError",
    "DataError",
    "Document",
    "Evaluation",
    "Excerpt",
    "GoldPair",
    "Holder",
    "How",
    "Label",
    "Mention",
    "MentionFinder",
    "ModelError",
    "Origin",
    "Overview",
    "Pair",
    "Polarity",
    "Prediction",
    "Report",
    "Resolution",
    "Resolved",
    "Sentence",
    "Stance",
    "StanceClassifier",
    "StanceError",
    "Target",
    "TargetError",
    "evaluate",
    "evaluate_excerpts",
    "find_mentions",
    "load_excerpts",
    "load_predictions",
    "make_pairs",
    "read_gold",
    "resolve_holders",
    "save_excerpts",
    "save_predictions",
    "split_sentences",
]
