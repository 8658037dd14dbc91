using TorchSharp;
using static TorchSharp.torch;

namespace MLExtensions.Images;

/// <summary>Numbers drawn on the host, one or a few for each image of a batch.</summary>
internal static class PerImage
{
    /// <summary>Sends the numbers to the images' device in a form that spreads over channels and pixels: [N, 1, 1, 1].</summary>
    public static Tensor Column(float[] values, Tensor images) => Send(values, [values.Length, 1, 1, 1], images.device);

    public static Tensor Send(float[] values, long[] shape, Device device) => torch.tensor(values, shape).to(device);

    public static Tensor Send(long[] values, long[] shape, Device device) => torch.tensor(values, shape).to(device);
}
