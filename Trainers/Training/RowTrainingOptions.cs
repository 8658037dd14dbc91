using MLExtensions.Training;
using MLExtensions.Training.Data;

namespace MLExtensions;

/// <summary>Options shared by all trainings whose examples are single rows, in an order that does not matter.</summary>
public abstract class RowTrainingOptions : DataTrainingOptions
{
    private protected RowTrainingOptions()
    {
    }

    /// <summary>Number of rows in the shuffle buffer of streamed data. Default 10,000.</summary>
    public int ShuffleBufferRows { get; set; } = 10_000;

    /// <summary>How the rows are read and divided.</summary>
    internal RowSetSettings CreateRowSettings(int seed) => new(Buffering, ShuffleBufferRows, ValidationFraction, seed, HasChecksum: CheckpointFolder != null);

    internal override void Check()
    {
        base.Check();
        OptionCheck.AtLeast(ShuffleBufferRows, 1, nameof(ShuffleBufferRows));
    }
}
