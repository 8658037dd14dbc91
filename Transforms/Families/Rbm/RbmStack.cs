using System.Runtime.InteropServices;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Rbm;

/// <summary>One or more trained RBMs. The hidden units of each are the visible units of the next: a deep belief network.</summary>
internal sealed class RbmStack(IReadOnlyList<NetworkModelParameters> layers)
{
    private readonly Lazy<RbmNetwork[]> _networks = new(() => layers.Select(layer => (RbmNetwork)layer.Network).ToArray());

    public RbmNetwork Lowest => _networks.Value[0];

    private RbmNetwork Top => _networks.Value[^1];

    /// <summary>Returns the visible units of the topmost RBM: means, propagated up through the RBMs below.</summary>
    public Tensor BelowTop(Tensor visible)
    {
        for (var layer = 0; layer < _networks.Value.Length - 1; layer++)
            visible = _networks.Value[layer].HiddenMeans(visible);
        return visible;
    }

    /// <summary>Returns the hidden units of the topmost RBM.</summary>
    public Tensor Hidden(Tensor belowTop) => Top.HiddenMeans(belowTop);

    /// <summary>Propagates hidden units of the topmost RBM down to the visible units.</summary>
    public Tensor Visible(Tensor hidden)
    {
        for (var layer = _networks.Value.Length - 1; layer >= 0; layer--)
            hidden = _networks.Value[layer].VisibleMeans(hidden);
        return hidden;
    }

    /// <summary>Returns the free energy of the topmost RBM, <c>[rows]</c>.</summary>
    public Tensor FreeEnergy(Tensor belowTop) => Top.FreeEnergy(belowTop);

    /// <summary>Gibbs sampling in the topmost RBM, and means from there down.</summary>
    /// <param name="start"><c>[rows, visible units of the topmost RBM]</c>, or null for noise.</param>
    /// <param name="rows">The number of chains.</param>
    /// <param name="steps">The number of steps, at least 1.</param>
    /// <param name="seed">The seed.</param>
    public Tensor Sample(Tensor? start, int rows, int steps, ulong seed)
    {
        using var sampler = new UnitSampler(CPU);
        sampler.Reseed(seed);
        var visible = start ?? sampler.Visible(Top, Uninformed(rows));
        for (var step = 1; step < steps; step++)
        {
            var before = visible;
            using (NewDisposeScope())
                visible = sampler.Visible(Top, Top.VisibleMeans(sampler.Hidden(Top, before).States)).MoveToOuterDisposeScope();
            // The tensors of thousands of steps would accumulate in the caller's scope.
            if (!ReferenceEquals(before, start))
                before.Dispose();
        }
        return Visible(sampler.Hidden(Top, visible).States);
    }

    /// <summary>Replaces probabilities by ones and zeros that depend only on the seed and the row of features.</summary>
    public static Tensor Draw(Tensor features, Tensor probabilities, int seed)
    {
        var drawn = empty_like(probabilities);
        var inputs = TensorMemory.Floats(features.contiguous());
        var from = TensorMemory.Floats(probabilities.contiguous());
        var to = TensorMemory.Floats(drawn);
        var (width, units, rows) = ((int)features.shape[1], (int)probabilities.shape[1], (int)features.shape[0]);
        for (var row = 0; row < rows; row++)
        {
            var hash = (ulong)(uint)seed;
            foreach (var bits in MemoryMarshal.Cast<float, uint>(inputs.Slice(row * width, width)))
                hash = new SplitMix64(hash ^ bits).Next();
            new BernoulliDraws(hash).Draw(from.Slice(row * units, units), to.Slice(row * units, units));
        }
        return drawn;
    }

    private Tensor Uninformed(int rows)
    {
        var architecture = Top.Architecture;
        return architecture.VisibleUnits switch
        {
            VisibleUnitType.Gaussian => zeros([rows, architecture.InputCount], ScalarType.Float32, CPU),
            VisibleUnitType.Bernoulli => full([rows, architecture.InputCount], Number.Of(0.5f), ScalarType.Float32, CPU),
            _ => ones([rows, architecture.InputCount], ScalarType.Float32, CPU),
        };
    }
}

/// <summary>Draws and checks shared by the methods of an RBM.</summary>
internal static class RbmRows
{
    public static void CheckPositive(int value, string name)
    {
        if (value < 1)
            throw new ArgumentOutOfRangeException(name, value, FormattableString.Invariant($"{name} is {value}; it must be at least 1."));
    }

    /// <summary>Rejects more rows than memory or a span can hold.</summary>
    public static void CheckSize(int rows, int width, string name)
    {
        if ((long)rows * width > int.MaxValue || 2.0 * rows * width * sizeof(float) > MachineMemory.Available)
            throw new ArgumentOutOfRangeException(name, rows, FormattableString.Invariant($"{name} is {rows}; with {width} units it must be at most {(int)Math.Min(int.MaxValue, MachineMemory.Available / 2 / sizeof(float)) / width}. Call Sample several times with different seeds."));
    }

    /// <summary>Draws one unit per row, int64.</summary>
    public static Tensor DrawUnits(Tensor rows, ref SplitMix64 random)
    {
        var units = new long[rows.shape[0]];
        for (var row = 0; row < units.Length; row++)
            units[row] = random.Next((int)rows.shape[1]);
        return tensor(units, ScalarType.Int64, rows.device);
    }
}
