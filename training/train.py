"""Train a stance model: ``python -m training.train training/base.toml``.

A plain ``accelerate`` loop rather than transformers' ``Trainer``: a batch here is a token budget of packed rows with
any number of pairs, the loss mixes exact and partial labels, and stages restart the schedule. With ``Trainer`` each of
these is an override (sampler, collator, loss, scheduler, evaluation); as a loop they read in order.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import Tensor
from tqdm import tqdm

from stance import __version__ as stance_version
from stance.errors import ConfigError
from stance.model import StanceModel, StanceOutput, TorchForward, batch_tensors
from stance.scoring import PairScorer
from training.adversary import Adversary
from training.behaviour import load_cases
from training.build import first_model, save_model, start_corpora, start_digest
from training.calibration import settle
from training.card import write_card
from training.command import one_line_errors
from training.config import StageSettings, TrainingSettings, corpora_override, load_settings, public_settings
from training.data import Corpora, load_corpora
from training.development import Development, check_selection, evaluate_development
from training.examples import ExampleBatch, collate_examples, draw_pairs
from training.losses import relation_loss, stance_losses, tag_loss
from training.optimisation import Average, choose_precision, epoch_batches, hold_words, make_optimizer, schedule
from training.record import Progress, joined_corpora, rounded

log = logging.getLogger("training")


class Trainer:
    """One training run: stages in order, each epoch scored on development data, every checkpoint resumable."""

    def __init__(self, settings: TrainingSettings, corpora: Corpora, run_folder: Path, *, show_progress: bool) -> None:
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self.settings = settings
        self.accelerator = Accelerator(mixed_precision=choose_precision(settings.precision))
        set_seed(settings.seed)
        model, self.tokenizer, self.model_settings = first_model(settings)
        scorer = PairScorer(self.tokenizer, self.model_settings, _no_forward)
        self.scorer = scorer
        if not settings.train_words:
            hold_words(model)
        if model.tagger is not None and not settings.tag_weight:
            model.tagger.requires_grad_(False)
        renames = any(stage.renamed for stage in settings.stages)
        self.datasets = corpora.datasets(scorer, settings.max_pairs, renamed_seed=settings.seed if renames else None)
        self.development = corpora.development
        words, distance = model.encoder.get_input_embeddings(), settings.adversarial_distance
        self.adversary = Adversary(words, distance) if distance else None
        self.model: StanceModel = self.accelerator.prepare_model(model)
        self.average = Average(self.plain_model, settings.ema_decay)
        self.best_weights = {k: v.clone() for k, v in self.average.weights.items()}
        self.progress = Progress()
        self.clock = time.monotonic()
        self.run_folder = run_folder
        self.plan = _plan(settings, corpora)
        self.show_progress = show_progress

    @property
    def plain_model(self) -> StanceModel:
        """The model without the wrapper of a distributed run."""
        return self.accelerator.unwrap_model(self.model)  # type: ignore[no-any-return]

    def run(self) -> PairScorer:
        """Train every stage from the run's last checkpoint on and return a scorer that runs the chosen weights.

        Raises:
            ConfigError: as ``resume``; nothing has been trained then.
        """
        self.resume()
        for number in range(self.progress.stage, len(self.settings.stages)):
            self.run_stage(number)
        self.load_weights(self.best_weights)
        return self.current_scorer()

    def run_stage(self, number: int) -> None:
        """Train one stage and leave its best averaged weights in the model."""
        stage = self.settings.stages[number]
        batches = epoch_batches(self.datasets, stage, self._seed(number, 0), self.settings.batch_tokens)
        total = stage.epochs * len(batches) // self.accelerator.num_processes + stage.epochs
        optimizer = make_optimizer(self.plain_model, stage, self.settings.weight_decay)
        optimizer = self.accelerator.prepare_optimizer(optimizer)
        rates = torch.optim.lr_scheduler.LambdaLR(optimizer.optimizer, lambda s: schedule(s, total, stage.warmup))
        self._resume_optimizer(optimizer, rates)
        while self.progress.epoch < stage.epochs and self.progress.since_best < stage.patience:
            self.run_epoch(number, stage, optimizer, rates)
            self.score_epoch(stage)
            self.save_checkpoint(optimizer, rates)
        self.load_weights(self.best_weights)
        self.average = Average(self.plain_model, self.settings.ema_decay)
        p = self.progress
        p.stage, p.epoch, p.batch, p.since_best = number + 1, 0, 0, 0
        p.best = -math.inf
        self.save_checkpoint(None, None)

    def run_epoch(self, number: int, stage: StageSettings, optimizer: Any, rates: Any) -> None:
        """Run the batches of an epoch that are still to do."""
        p = self.progress
        batches = epoch_batches(self.datasets, stage, self._seed(number, p.epoch), self.settings.batch_tokens)
        mine = batches[self.accelerator.process_index :: self.accelerator.num_processes]
        mine = mine[: len(batches) // self.accelerator.num_processes]  # every process takes as many steps
        self.model.train()
        bar = tqdm(total=len(mine), initial=p.batch, desc=f"{stage.name} {p.epoch + 1}", disable=not self.show_progress)
        running = 0.0
        for records in self._records(mine[p.batch :], self._seed(number, p.epoch)):
            loss = self.step(collate_examples(records, self.scorer), optimizer, rates)
            p.batch += 1
            p.step += 1
            running = 0.98 * running + 0.02 * loss if running else loss
            bar.update()
            bar.set_postfix(loss=f"{running:.3f}", refresh=False)
            if p.step % self.settings.checkpoint_steps == 0:
                log.info("%s epoch %d: batch %d of %d, loss %.3f", stage.name, p.epoch + 1, p.batch, len(mine), running)
                self.save_checkpoint(optimizer, rates)
        bar.close()

    def _records(self, batches: Sequence[Sequence[tuple[str, int]]], seed: int) -> Iterator[list[dict[str, Any]]]:
        for batch in batches:
            # Drawn per sentence, not in order of the batches, so that a resumed run draws the same.
            yield [
                draw_pairs(self.datasets[name][i], self.settings.max_pairs, np.random.default_rng([seed, i]))
                for name, i in batch
            ]

    def step(self, batch: ExampleBatch, optimizer: Any, rates: Any) -> float:
        """Take one optimisation step and return the loss."""
        device = self.accelerator.device
        tensors = batch_tensors(batch.packed, device)
        gold = [torch.from_numpy(a).to(device) for a in (batch.targets, batch.kinds, batch.relations, batch.tags)]
        loss = self._backward(tensors, gold)
        if self.adversary is not None:
            with self.adversary.moved():
                self._backward(tensors, gold)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.settings.clip_norm)
        optimizer.step()
        rates.step()
        optimizer.zero_grad()
        self.average.update(self.plain_model)
        return float(loss)

    def _backward(self, tensors: Mapping[str, Tensor], gold: Sequence[Tensor]) -> Tensor:
        """Read a batch, add the gradients of its loss to the parameters', and return the loss."""
        with self.accelerator.autocast():
            output = self.model(**tensors)
        loss = self.loss(output, tensors["pair_rows"], gold)
        self.accelerator.backward(loss)
        return loss.detach()

    def loss(self, output: StanceOutput, rows: Tensor, gold: Sequence[Tensor]) -> Tensor:
        """Average the stance loss over pairs and add the weighted losses of relations and tags.

        ``gold`` is targets, kinds, relations and tags.

        A pair among n of its sentence weighs ``n ** -0.5``: corpora annotated in full have up to hundreds of pairs a
        sentence, most of them none, and would drown those that judge one or two.
        """
        targets, kinds, relations, tags = gold
        weights = torch.bincount(rows)[rows].float().rsqrt()
        stances = (weights * stance_losses(output.logits.float(), targets, kinds)).sum() / weights.sum().clamp(min=1)
        total = stances + self.settings.relation_weight * relation_loss(output.relation_logits.float(), relations)
        if output.tag_logits is not None and self.settings.tag_weight:
            total = total + self.settings.tag_weight * tag_loss(output.tag_logits.float(), tags)
        return total

    def current_scorer(self) -> PairScorer:
        """Give a scorer that runs the current weights."""
        return PairScorer(self.tokenizer, self.model_settings, TorchForward(self.plain_model, self.accelerator.device))

    def evaluate(self) -> Development:
        """Score the current weights on every development split."""
        figures = evaluate_development(self.current_scorer(), self.development)
        self.model.train()
        return figures

    def score_epoch(self, stage: StageSettings) -> None:
        """Score the averaged weights, keep them if they are the stage's best, and step to the next epoch."""
        raw = {k: v.detach().clone() for k, v in self.plain_model.state_dict().items()}
        self.load_weights(self.average.weights)
        figures = self.evaluate()
        score = figures.score(self.settings.selection)
        p = self.progress
        if score > p.best:
            p.best, p.since_best = score, 0
            self.best_weights = {k: v.clone() for k, v in self.average.weights.items()}
        else:
            p.since_best += 1
        self.load_weights(raw)
        p.epoch, p.batch = p.epoch + 1, 0
        scores = rounded(figures.scores)
        p.history.append({"stage": stage.name, "epoch": p.epoch, "score": round(score, 4), **scores})
        headline = "  ".join(f"{name} {scores[name]:.4f}" for name in figures.headline)
        log.info("%s epoch %d: mean %.4f  %s", stage.name, p.epoch, score, headline)

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Put weights into the model."""
        self.plain_model.load_state_dict(dict(weights))

    def save_checkpoint(self, optimizer: Any, rates: Any) -> None:
        """Write everything that a resumed run needs, in one step."""
        now = time.monotonic()
        self.progress.seconds, self.clock = self.progress.seconds + now - self.clock, now
        if not self.accelerator.is_main_process:
            return
        state = {
            "plan": self.plan,
            "progress": self.progress.state_dict(),
            "model": self.plain_model.state_dict(),
            "average": self.average.state_dict(),
            "best": self.best_weights,
            "optimizer": None if optimizer is None else optimizer.state_dict(),
            "rates": None if rates is None else rates.state_dict(),
            "random": torch.get_rng_state(),
        }
        self.run_folder.mkdir(parents=True, exist_ok=True)
        temporary = self.run_folder / "checkpoint.tmp"
        torch.save(state, temporary)
        temporary.replace(self.run_folder / "checkpoint.pt")

    def resume(self) -> None:
        """Take up the run's last checkpoint, if it has one.

        Raises:
            ConfigError: the checkpoint is of other settings or corpora.
        """
        path = self.run_folder / "checkpoint.pt"
        if not path.is_file():
            return
        state = torch.load(path, map_location=self.accelerator.device, weights_only=True)
        if state["plan"] != self.plan:
            raise ConfigError(
                f"expected a checkpoint of these settings and corpora in {str(self.run_folder)!r}; got one of others; "
                "give another --run folder or remove that one"
            )
        self.progress.load_state_dict(state["progress"])
        self.load_weights(state["model"])
        self.average.load_state_dict(state["average"])
        self.best_weights = state["best"]
        self._saved = state
        torch.set_rng_state(state["random"].cpu())
        log.info("resumed at stage %(stage)d, epoch %(epoch)d, batch %(batch)d", self.progress.state_dict())

    def _resume_optimizer(self, optimizer: Any, rates: Any) -> None:
        saved = self.__dict__.pop("_saved", None)
        if saved is not None and saved["optimizer"] is not None:
            optimizer.load_state_dict(saved["optimizer"])
            rates.load_state_dict(saved["rates"])

    def _seed(self, stage: int, epoch: int) -> int:
        return self.settings.seed * 1_000_003 + stage * 1009 + epoch


def _no_forward(batch: object) -> Any:
    raise NotImplementedError("packing only")


def train(settings: TrainingSettings, run_folder: Path, *, show_progress: bool = False) -> Development:
    """Read the corpora, train, and write the model folder; an interrupted run of the same folder goes on.

    Raises:
        ConfigError: a corpus is missing or a split is empty; nothing has been trained then.
    """
    return train_on(settings, load_corpora(settings), run_folder, show_progress=show_progress)


def train_on(
    settings: TrainingSettings, corpora: Corpora, run_folder: Path, *, show_progress: bool = False
) -> Development:
    """Train on corpora that are read, and write the model folder; an interrupted run of the same folder goes on.

    Returns the finished model's development figures, with the calibration that it is used with.

    Raises:
        ConfigError: the settings do not fit the corpora; nothing has been trained then.
    """
    check_selection(settings.selection, corpora.development)
    trainer = Trainer(settings, corpora, run_folder, show_progress=show_progress)
    scorer = trainer.run()
    scores = settle(scorer, corpora.development)
    if trainer.accelerator.is_main_process:
        record = {
            "settings": public_settings(settings),
            "corpora": joined_corpora([start_corpora(settings), corpora.fingerprints]),
            "scores": rounded(scores),
            "history": trainer.progress.history,
            "seconds": round(trainer.progress.seconds),
        }
        finished = replace(scorer.settings, library_version=stance_version)
        output = (settings.folder / settings.output).resolve()
        save_model(trainer.plain_model, trainer.tokenizer, finished, record, output, onnx=settings.export_onnx)
        write_card(output, corpora.development, load_cases())
    return Development(scores)


def _plan(settings: TrainingSettings, corpora: Corpora) -> str:
    """Write down what decides a run's weights, so that no checkpoint of another run is taken up."""
    record = public_settings(settings)
    del record["threads"], record["checkpoint_steps"]
    if settings.start:
        record["start"] = start_digest(settings)
    return json.dumps({"settings": record, "corpora": corpora.digest}, sort_keys=True)


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__.splitlines()[0])
    parser.add_argument("settings", type=Path, help="TOML file of settings")
    parser.add_argument("--corpora", help="folder that holds the corpora (overrides corpora_folder)")
    parser.add_argument("--output", help="folder to write the model to (overrides output)")
    parser.add_argument("--seed", type=int, help="seed (overrides seed)")
    parser.add_argument(
        "--run", type=Path, default=Path("runs/default"), help="folder of checkpoints to write and resume"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    overrides = {
        **corpora_override(options.corpora),
        "output": None if options.output is None else str(Path(options.output).resolve()),
        "seed": options.seed,
    }
    settings = load_settings(options.settings, {k: v for k, v in overrides.items() if v is not None})
    train(settings, options.run, show_progress=sys.stderr.isatty())
    return 0


if __name__ == "__main__":
    sys.exit(main())
