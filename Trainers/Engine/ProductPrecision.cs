using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Engine;

/// <summary>
/// Whether GPUs may round the factors of products to 10 bits of mantissa (TF32) while a training lasts. By default libtorch does it in convolutions and
/// recurrent layers and not in matrix products; here it is what <see cref="Precision"/> says. The setting belongs to the process: the last training that
/// ends puts back what was before the first.
/// </summary>
internal sealed class ProductPrecision : IDisposable
{
    private static readonly Lock Gate = new();
    private static int _open;
    private static (bool Products, bool Convolutions) _before;
    private bool _isOver;

    internal ProductPrecision(bool rounds)
    {
        lock (Gate)
        {
            if (_open++ == 0)
                _before = Setting;
            Setting = (rounds, rounds);
        }
    }

    internal static (bool Products, bool Convolutions) Setting
    {
        get => (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32);
        private set => (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32) = value;
    }

    /// <summary>Begins a training; null on the CPU, which knows nothing of it.</summary>
    public static ProductPrecision? Enter(Precision precision, Device device) =>
        device.type == DeviceType.CUDA ? new ProductPrecision(precision == Precision.TensorFloat32) : null;

    public void Dispose()
    {
        lock (Gate)
        {
            if (_isOver)
                return;
            _isOver = true;
            if (--_open == 0)
                Setting = _before;
        }
    }
}
