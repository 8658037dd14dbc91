using MLExtensions.Training;

namespace MLExtensions;

/// <summary>
/// How often the decoder reads the right token in training, rather than the one that it predicted itself (scheduled sampling; Bengio et al.,
/// 2015).
/// </summary>
/// <remarks>
/// The predictions of a batch are those of a first pass that reads the right tokens (Mihaylova and Martins, 2019), so that all time steps can
/// still be computed at once; such epochs take about half as long again.
/// </remarks>
public abstract record TeacherForcing
{
    private protected TeacherForcing()
    {
    }

    /// <summary>The decoder always reads the right tokens.</summary>
    public static TeacherForcing Always { get; } = new ConstantForcing(1);

    /// <summary>The same share in all epochs.</summary>
    /// <param name="share">The share of right tokens, in [0, 1].</param>
    public static TeacherForcing Constant(double share) => new ConstantForcing(share);

    /// <summary>A share that changes evenly over the epochs.</summary>
    /// <param name="first">The share of right tokens at the beginning, in [0, 1].</param>
    /// <param name="last">The share at the end, in [0, 1].</param>
    public static TeacherForcing Linear(double first, double last) => new LinearForcing(first, last);

    /// <summary>The share k / (k + exp(n / k)) after n epochs.</summary>
    /// <param name="k">How slowly it falls, at least 1.</param>
    public static TeacherForcing InverseSigmoid(double k) => new InverseSigmoidForcing(k);

    /// <summary>The share of right tokens.</summary>
    /// <param name="epoch">The number of epochs before this time, not only whole ones.</param>
    /// <param name="epochs">The number of epochs of the training.</param>
    internal abstract double Share(double epoch, int epochs);

    /// <summary>Whether the share depends on the number of epochs of the training.</summary>
    internal virtual bool DependsOnEpochs => false;

    /// <exception cref="ArgumentException">A number is out of range.</exception>
    internal abstract void Check(string option);

    private sealed record ConstantForcing(double Value) : TeacherForcing
    {
        internal override double Share(double epoch, int epochs) => Value;

        internal override void Check(string option) => OptionCheck.Between(Value, 0, 1, $"{option}.share");
    }

    private sealed record LinearForcing(double First, double Last) : TeacherForcing
    {
        internal override bool DependsOnEpochs => true;

        internal override double Share(double epoch, int epochs) => First + ((Last - First) * Math.Min(1, epoch / Math.Max(1, epochs)));

        internal override void Check(string option)
        {
            OptionCheck.Between(First, 0, 1, $"{option}.first");
            OptionCheck.Between(Last, 0, 1, $"{option}.last");
        }
    }

    private sealed record InverseSigmoidForcing(double K) : TeacherForcing
    {
        internal override double Share(double epoch, int epochs) => K / (K + Math.Exp(epoch / K));

        internal override void Check(string option) => OptionCheck.Between(K, 1, float.MaxValue, $"{option}.k");
    }
}
