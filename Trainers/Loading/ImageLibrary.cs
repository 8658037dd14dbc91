using System.Runtime.CompilerServices;

namespace MLExtensions.Loading;

/// <summary>
/// ML.NET's image library is mended when the assembly of the transformers is initialized, which happens when one of its types is used.
/// A program that only loads images with this library, and trains with ML.NET, would never do that.
/// </summary>
internal static class ImageLibrary
{
    [ModuleInitializer]
    internal static void Mend() => RuntimeHelpers.RunModuleConstructor(typeof(TorchRuntime).Module.ModuleHandle);
}
