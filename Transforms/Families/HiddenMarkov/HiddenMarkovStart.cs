namespace MLExtensions;

/// <summary>How one start of a training of a hidden Markov model ended: EM finds different optima from different beginnings.</summary>
public sealed record HiddenMarkovStart
{
    /// <summary>The number of states.</summary>
    public required int NumberOfStates { get; init; }

    /// <summary>The number of the start, from 1, among those with as many states.</summary>
    public required int Start { get; init; }

    /// <summary>Whether the model is the one of this start.</summary>
    public bool IsChosen { get; init; }

    /// <summary>The number of iterations.</summary>
    public required int Iterations { get; init; }

    /// <summary>Whether it ended because the likelihood did not grow anymore; false if it reached the largest number of iterations.</summary>
    public required bool HasConverged { get; init; }

    /// <summary>The logarithm of the probability of the training data.</summary>
    public required double LogLikelihood { get; init; }

    /// <summary>The logarithm of the probability of what was held out; null if nothing was.</summary>
    public double? ValidationLogLikelihood { get; init; }

    /// <summary>The number of parameters that were learned.</summary>
    public required long Parameters { get; init; }

    /// <summary>Akaike's information criterion; lower is better.</summary>
    public required double AkaikeInformationCriterion { get; init; }

    /// <summary>The Bayesian information criterion (Schwarz, 1978), by which the number of states is chosen; lower is better.</summary>
    public required double BayesianInformationCriterion { get; init; }

    /// <summary>How often a state that explained nothing anymore was given a new beginning.</summary>
    public int RecoveredStates { get; init; }

    /// <summary>Returns a summary in one line.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{NumberOfStates} states, start {Start}: {Iterations} iterations{(HasConverged ? "" : " (not converged)")}, log-likelihood {LogLikelihood:G8}{(ValidationLogLikelihood is { } held ? FormattableString.Invariant($", held out {held:G8}") : "")}, BIC {BayesianInformationCriterion:G8}{(RecoveredStates > 0 ? FormattableString.Invariant($", {RecoveredStates} recovered states") : "")}{(IsChosen ? ", chosen" : "")}");
}
