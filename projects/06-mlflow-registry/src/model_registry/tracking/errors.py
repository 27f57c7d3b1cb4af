"""What can be wrong with a question to the registry."""

from carefolio.exceptions import CarefolioError


class RegistryError(CarefolioError):
    """What is asked of the registry does not fit what it holds."""

    exit_code = 15
