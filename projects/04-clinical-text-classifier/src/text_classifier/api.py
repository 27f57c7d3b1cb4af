"""The tuned models as an API: a label for a text, how sure it is, and the words that matter.

``POST /classify`` runs in a thread: a text takes some milliseconds, an explanation about a hundred times as long, and meanwhile the
event loop answers health checks and other clients.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI, HTTPException

from carefolio.command import DISCLAIMER
from carefolio.exceptions import ArtefactError
from carefolio.serving import ServingSettings
from carefolio.serving import create_app as create_guarded_app
from text_classifier.artefacts import find_artefacts, served_folders
from text_classifier.predictor import Predictor
from text_classifier.schemas import (
    EXAMPLES,
    MOST_WORDS,
    ClassifyRequest,
    ClassifyResponse,
    TasksResponse,
    describe_answer,
    describe_model,
)

DISTRIBUTION = "carefolio-text-classifier"
BODY_LIMIT_BYTES = 512 * 1024
DESCRIPTION = ("Labels for clinical text in English: the section of a note that a conversation belongs to, the answer that an abstract "
               "gives to its question, the specialty of a report. Trained on published, partly made-up texts. " + DISCLAIMER)


def create_app() -> FastAPI:
    """Build the API with the models of ``$CAREFOLIO_ARTEFACTS``, else of the last full run, else the committed ones.

    Returns
    -------
    FastAPI
        Settings come from the environment (see `carefolio.serving.settings`); a body may have 512 KiB unless that says otherwise. The
        models are opened when the server starts.

    Raises
    ------
    ArtefactError
        If there is no model: a server without one does not start.
    ConfigError
        If the settings do not fit.
    """
    settings = ServingSettings.from_environment({"CAREFOLIO_BODY_LIMIT_BYTES": str(BODY_LIMIT_BYTES), **os.environ})
    artefacts = find_artefacts()
    folders, predictors = served_folders(artefacts), dict[str, Predictor]()
    card = artefacts.parent / "reports" / "model_card.md"
    return create_guarded_app(title="Clinical text classifier", version=version(DISTRIBUTION), description=DESCRIPTION,
                              routers=[_build_router(predictors)], ready=partial(_check, predictors), settings=settings,
                              model_card=card if card.is_file() else None, examples=EXAMPLES,
                              resources=partial(_open_models, folders=folders, predictors=predictors))


@asynccontextmanager
async def _open_models(app: FastAPI, *, folders: Mapping[str, Path], predictors: dict[str, Predictor]) -> AsyncIterator[None]:
    predictors.update({task: Predictor.open(folder) for task, folder in folders.items()})
    yield
    predictors.clear()


def _check(predictors: Mapping[str, Predictor]) -> None:
    if not predictors:
        raise ArtefactError("no model is open; start the server again.")
    for predictor in predictors.values():
        predictor.check()


def _choose(predictors: Mapping[str, Predictor], task: str | None) -> Predictor:
    chosen = next(iter(predictors)) if task is None else task
    if chosen not in predictors:
        raise HTTPException(404, f"There is no model for this task here, only for {', '.join(predictors)}; GET /tasks describes them. Make "
                                 "one with `textclass run`.")
    return predictors[chosen]


def _build_router(predictors: Mapping[str, Predictor]) -> APIRouter:
    router = APIRouter(tags=["model"])
    served = partial(describe_model, version=version(DISTRIBUTION))

    @router.post("/classify", summary="Labels of one text, or of up to 64", responses={404: {"description": "No model for this task."}})
    def classify(body: ClassifyRequest) -> ClassifyResponse:
        predictor, texts = _choose(predictors, body.task), body.all_texts()
        answers = predictor.classify(texts)
        words = [predictor.words_that_matter(text, most=MOST_WORDS) if body.explain else None for text in texts]
        return ClassifyResponse(answers=[describe_answer(answer, predictor, found) for answer, found in zip(answers, words, strict=True)],
                                model=served(predictor))

    @router.get("/tasks", summary="The tasks that have a model here")
    async def tasks() -> TasksResponse:
        return TasksResponse(tasks=[served(predictor) for predictor in predictors.values()])

    return router
