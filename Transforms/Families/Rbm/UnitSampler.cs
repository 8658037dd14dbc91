using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MLExtensions.Distribution;
using MLExtensions.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Families.Rbm;

/// <summary>Samples the states of the units of an RBM. Not thread-safe.</summary>
/// <param name="device">The device of the units. On devices other than the CPU, the generator of the process is used.</param>
/// <param name="share">The part of each batch; random numbers are drawn for the others', too, so that each row gets what it would get alone.</param>
internal sealed class UnitSampler(Device device, Share? share = null) : IDisposable
{
    private Share _share = share ?? Share.Whole;
    private readonly Generator? _generator = device.type == DeviceType.CPU ? new Generator(0) : null;
    private BernoulliDraws _draws;

    /// <summary>Starts a new sequence of random numbers.</summary>
    public void Reseed(ulong seed)
    {
        _draws = new BernoulliDraws(seed);
        if (_generator != null)
            _generator.manual_seed((long)(seed >> 1));
        else
            cuda.manual_seed_all((long)(seed >> 1));
    }

    /// <summary>Until the result is disposed, rows are those of all ranks, and not a part of them.</summary>
    public IDisposable DrawForAll() => new WithoutShare(this);

    /// <summary>Returns the expected values of the hidden units and their sampled states.</summary>
    public (Tensor Means, Tensor States) Hidden(RbmNetwork network, Tensor visible)
    {
        var input = network.HiddenInput(visible);
        var kind = network.Architecture.HiddenUnits;
        if (kind == HiddenUnitType.Bernoulli)
        {
            var probabilities = network.MeansOf(input);
            return (probabilities, Bernoulli(probabilities));
        }
        var noise = Normal(input);
        if (kind == HiddenUnitType.Gaussian)
            return (input, noise.add_(input, Number.One));
        var states = noise.mul_(input.sigmoid().sqrt_()).add_(input, Number.One).relu_();
        return (network.MeansOf(input), states);
    }

    /// <summary>Samples states of visible units from their expected values, which are not changed.</summary>
    public Tensor Visible(RbmNetwork network, Tensor means) => network.Architecture.VisibleUnits switch
    {
        VisibleUnitType.Bernoulli => Bernoulli(means),
        VisibleUnitType.Gaussian => Normal(means).add_(means, Number.One),
        _ => cat(means.split(network.Groups, dim: 1).Select(Category).ToArray(), 1),
    };

    public void Dispose() => _generator?.Dispose();

    private Tensor Bernoulli(Tensor probabilities)
    {
        if (_generator == null)
            return rand_like(probabilities).lt(probabilities).to(probabilities.dtype);
        if (probabilities.dtype != ScalarType.Float32)
            return Bernoulli(probabilities.to(ScalarType.Float32)).to(probabilities.dtype);
        if (_share.Count == 1)
        {
            var drawn = empty_like(probabilities);
            _draws.Draw(TensorMemory.Floats(probabilities), TensorMemory.Floats(drawn));
            return drawn;
        }
        return _share.Draw((int)probabilities.shape[0], rows =>
        {
            var all = zeros([rows, .. probabilities.shape[1..]], ScalarType.Float32, CPU);
            TensorMemory.Floats(probabilities.contiguous()).CopyTo(_share.Of(TensorMemory.Floats(all)));
            _draws.Draw(TensorMemory.Floats(all), TensorMemory.Floats(all));
            return all;
        });
    }

    private Tensor Normal(Tensor like)
    {
        if (_generator == null)
            return randn_like(like);
        return Draw(like, drawn => drawn.normal_(0, 1, _generator)).to(like.dtype);
    }

    private Tensor Draw(Tensor like, Func<Tensor, Tensor> draw) =>
        _share.Draw((int)like.shape[0], rows => draw(empty([rows, .. like.shape[1..]], ScalarType.Float32, CPU))).clone();

    /// <summary>Samples a one-hot category: the largest of the logarithms with Gumbel noise.</summary>
    private Tensor Category(Tensor probabilities)
    {
        var noise = _generator == null ? rand_like(probabilities) : Draw(probabilities, drawn => drawn.uniform_(0, 1, _generator)).to(probabilities.dtype);
        var scores = probabilities.log().sub_(noise.clamp_(Number.Of(1e-7), Number.Of(1 - 1e-7)).log_().neg_().log_());
        return zeros_like(probabilities).scatter_(1, scores.argmax(1, keepdim: true), ones_like(probabilities));
    }

    private sealed class WithoutShare : IDisposable
    {
        private readonly UnitSampler _sampler;
        private readonly Share _share;

        public WithoutShare(UnitSampler sampler) => (_sampler, _share, sampler._share) = (sampler, sampler._share, Share.Whole);

        public void Dispose() => _sampler._share = _share;
    }
}

/// <summary>
/// Samples ones and zeros from their probabilities, eight at a time: xoshiro128+ (Blackman and Vigna, 2018) in eight lanes.
/// </summary>
internal struct BernoulliDraws
{
    private const float Unit = 1f / (1 << 24);
    private Vector256<uint> _a;
    private Vector256<uint> _b;
    private Vector256<uint> _c;
    private Vector256<uint> _d;

    public BernoulliDraws(ulong seed)
    {
        var random = new SplitMix64(seed);
        _a = Lanes(ref random);
        _b = Lanes(ref random);
        _c = Lanes(ref random);
        _d = Lanes(ref random);
    }

    /// <summary>Replaces each probability by a one or a zero.</summary>
    public void Draw(ReadOnlySpan<float> probabilities, Span<float> values)
    {
        var count = Vector256<float>.Count;
        var from = MemoryMarshal.Cast<float, Vector256<float>>(probabilities);
        var to = MemoryMarshal.Cast<float, Vector256<float>>(values);
        for (var i = 0; i < from.Length; i++)
            to[i] = Ones(from[i]);
        var rest = from.Length * count;
        if (rest == probabilities.Length)
            return;
        Span<float> last = stackalloc float[count];
        last.Clear();
        probabilities[rest..].CopyTo(last);
        Ones(Vector256.Create<float>(last)).CopyTo(last);
        last[..(probabilities.Length - rest)].CopyTo(values[rest..]);
    }

    private static Vector256<uint> Lanes(ref SplitMix64 random) =>
        Vector256.Create(random.Next(), random.Next(), random.Next(), random.Next()).AsUInt32();

    private Vector256<float> Ones(Vector256<float> probability)
    {
        var drawn = Vector256.ConvertToSingle((Next() >> 8).AsInt32()) * Unit;
        return Vector256.LessThan(drawn, probability) & Vector256<float>.One;
    }

    private Vector256<uint> Next()
    {
        var result = _a + _d;
        var shifted = _b << 9;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = (_d << 11) | (_d >> 21);
        return result;
    }
}
