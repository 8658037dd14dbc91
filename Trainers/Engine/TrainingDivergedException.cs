using System.Globalization;

namespace MLExtensions;

/// <summary>Training was stopped because the loss, a weight or a statistic of batch normalization was no finite number any more.</summary>
public sealed class TrainingDivergedException : InvalidOperationException
{
    private const string OfNetworks = "Try a smaller LearningRate, GradientClipNorm = 1, or normalize the features (NormalizeMeanVariance). The last checkpoint, if there is one, is intact.";

    internal TrainingDivergedException(int epoch, int? batch, double loss, string? advice)
        : this(epoch, batch, "The loss", loss, batch == null ? "on the validation data" : string.Create(CultureInfo.InvariantCulture, $"in batch {batch}"), advice)
    {
    }

    /// <param name="epoch">The epoch.</param>
    /// <param name="batch">The batch, or null.</param>
    /// <param name="what">What is not finite, at the beginning of the message.</param>
    /// <param name="value">Its value.</param>
    /// <param name="where">Where in the epoch.</param>
    /// <param name="advice">What to try; null for what helps networks that learn from data.</param>
    internal TrainingDivergedException(int epoch, int? batch, string what, double value, string where, string? advice)
        : base(string.Create(CultureInfo.InvariantCulture, $"{what} became {value} in epoch {epoch}, {where}. {advice ?? OfNetworks}"))
    {
        Epoch = epoch;
        Batch = batch;
    }

    /// <summary>The epoch, from 1; 0 is the pass over the validation data before training.</summary>
    public int Epoch { get; }

    /// <summary>The batch of the epoch, from 1; null if the loss diverged in validation.</summary>
    public int? Batch { get; }
}
