using System.Globalization;

namespace MLExtensions;

/// <summary>Training was stopped because the loss was NaN or infinite.</summary>
public sealed class TrainingDivergedException : InvalidOperationException
{
    internal TrainingDivergedException(int epoch, int? batch, double loss)
        : base(Describe(epoch, batch, loss))
    {
        Epoch = epoch;
        Batch = batch;
    }

    /// <summary>The epoch, from 1; 0 is the pass over the validation data before training.</summary>
    public int Epoch { get; }

    /// <summary>The batch of the epoch, from 1; null if the loss diverged in validation.</summary>
    public int? Batch { get; }

    private static string Describe(int epoch, int? batch, double loss)
    {
        var where = batch == null ? "on the validation data" : string.Create(CultureInfo.InvariantCulture, $"in batch {batch}");
        return string.Create(CultureInfo.InvariantCulture, $"The loss became {loss} in epoch {epoch}, {where}. Try a smaller LearningRate, GradientClipNorm = 1, or normalize the features (NormalizeMeanVariance). The last checkpoint, if there is one, is intact.");
    }
}
