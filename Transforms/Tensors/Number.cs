using TorchSharp;

namespace MLExtensions.Tensors;

/// <summary>
/// Numbers for calls of TorchSharp. One that it converts by itself is not kept alive while native code reads it, so the collector can free it
/// meanwhile and the call computes with another number. These stay alive until sixteen more were made on the same thread.
/// </summary>
internal static class Number
{
    private const int KeptCount = 16; // a call takes four at most

    public static readonly Scalar Zero = 0.ToScalar();
    public static readonly Scalar One = 1.ToScalar();

    [ThreadStatic]
    private static Scalar[]? _kept;

    [ThreadStatic]
    private static int _next;

    public static Scalar Of(double value) => Keep(value);

    public static Scalar Of(float value) => Keep(value);

    public static Scalar Of(long value) => Keep(value);

    private static Scalar Keep(Scalar number)
    {
        _next = (_next + 1) % KeptCount;
        return (_kept ??= new Scalar[KeptCount])[_next] = number;
    }
}
