namespace MLExtensions;

/// <summary>How well a hidden Markov model explains sequences.</summary>
public sealed record HiddenMarkovMetrics
{
    /// <summary>The logarithm of the probability of all sequences together.</summary>
    public required double LogLikelihood { get; init; }

    /// <summary>The number of sequences.</summary>
    public required long NumberOfSequences { get; init; }

    /// <summary>The number of rows.</summary>
    public required long NumberOfObservations { get; init; }

    /// <summary>The number of rows whose observation is missing or unknown.</summary>
    public required long NumberOfMissingObservations { get; init; }

    /// <summary>The number of rows that the model holds for impossible after those before them.</summary>
    public required long NumberOfImpossibleObservations { get; init; }

    /// <summary>The share of known states that are on the most probable path; null without labels.</summary>
    public double? PathAccuracy { get; init; }

    /// <summary>The share of known states that are the most probable ones of their rows; null without labels.</summary>
    public double? StateAccuracy { get; init; }

    /// <summary>The mean log-likelihood of a row whose observation is there.</summary>
    public double LogLikelihoodPerObservation => LogLikelihood / (NumberOfObservations - NumberOfMissingObservations);

    /// <summary>Perplexity: of symbols, as if the model chose among so many equally probable ones.</summary>
    public double Perplexity => Math.Exp(-LogLikelihoodPerObservation);

    /// <summary>Returns a summary in one line.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"log-likelihood {LogLikelihood:G8} of {NumberOfObservations} observations in {NumberOfSequences} sequences, {LogLikelihoodPerObservation:G6} each{(PathAccuracy is { } path ? FormattableString.Invariant($", accuracy of the path {path:P2}, of states {StateAccuracy:P2}") : "")}");
}
