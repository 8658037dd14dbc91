using System.Globalization;
using System.Runtime.InteropServices;
using MLExtensions.Engine;
using MLExtensions.Tensors;

namespace MLExtensions.Training;

/// <summary>
/// Estimates the memory of a training before it is taken. The estimates are lower bounds, so that nothing is refused that would fit; what they
/// miss is reported in the same words when it fails.
/// </summary>
internal static class TrainingMemory
{
    /// <summary>Checks the network: its weights, gradients and optimizer states, and the trained copy.</summary>
    /// <exception cref="ArgumentException">They cannot fit; the message names size, options and remedy.</exception>
    public static void CheckNetwork(NetworkArchitecture architecture, DataTrainingOptions options, bool onHost)
    {
        var weights = WeightsOf(architecture, options);
        // In host memory: weights, gradients, the trained copy. On a GPU only the copies before and after training.
        var copies = onHost ? 3 + options.Optimizer.StatesPerWeight + (options.EmaDecay == null ? 0 : 1) : 1;
        var bytes = sizeof(float) * ((weights * copies) + options.ValuesBesideWeights(architecture));
        if (bytes > MachineMemory.Available)
            throw new ArgumentException(Message(FormattableString.Invariant($"{Count(weights)} weights, in {copies} copies for weights, gradients, optimizer and trained model, need at least {MachineMemory.Text(bytes)}"), architecture, options), options.DescribeSizes(architecture)[0].Name);
    }

    /// <summary>Checks what the layers keep of a batch until its gradient is computed.</summary>
    /// <param name="architecture">The network.</param>
    /// <param name="options">The options.</param>
    /// <param name="rows">The examples of a batch.</param>
    /// <exception cref="ArgumentException">It cannot fit; the message names size, options and remedy.</exception>
    public static void CheckBatch(NetworkArchitecture architecture, DataTrainingOptions options, double rows)
    {
        var bytes = sizeof(float) * rows * architecture.ValuesPerRow;
        if (bytes > MachineMemory.Available)
            throw new ArgumentException(Message($"a batch of {Count(rows)} examples with {Count(architecture.ValuesPerRow)} values each needs at least {MachineMemory.Text(bytes)}", architecture, options), nameof(options.BatchSize));
    }

    /// <summary>Runs something that takes memory, and says in words what did not fit.</summary>
    /// <exception cref="InsufficientMemoryException">The memory was not enough.</exception>
    public static T Run<T>(NetworkArchitecture architecture, DataTrainingOptions options, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is ExternalException or InvalidOperationException && IsFailedAllocation(e.Message))
        {
            throw new InsufficientMemoryException(Message(FormattableString.Invariant($"{Count(WeightsOf(architecture, options))} weights and batches of {options.BatchSize} examples do not fit"), architecture, options), e);
        }
    }

    /// <summary>Whether libtorch's allocator says so, for the CPU or for a GPU.</summary>
    private static bool IsFailedAllocation(string message) =>
        message.Contains("can't allocate memory", StringComparison.Ordinal) || message.Contains("not enough memory", StringComparison.Ordinal) || message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);

    private static double WeightsOf(NetworkArchitecture architecture, DataTrainingOptions options)
    {
        try
        {
            return architecture.ParameterCount;
        }
        catch (OverflowException e)
        {
            throw new ArgumentException(Message("more weights than a 64-bit number can count do not fit into any computer", architecture, options), options.DescribeSizes(architecture)[0].Name, e);
        }
    }

    private static string Message(string what, NetworkArchitecture architecture, DataTrainingOptions options)
    {
        var sizes = string.Join(", ", options.DescribeSizes(architecture).Select(option => $"{option.Name} is {option.Value}").Append($"{nameof(options.BatchSize)} is {Text(options.BatchSize)}"));
        return $"The network is too large: {what}; this process can have {MachineMemory.Text(MachineMemory.Available)}. {sizes}; a row has {Count(architecture.InputCount)} values, and the network {Count(architecture.OutputCount)} outputs. Make the largest of these smaller; an {nameof(SgdOptimizer)} without momentum needs no states.";
    }

    private static string Count(double value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
