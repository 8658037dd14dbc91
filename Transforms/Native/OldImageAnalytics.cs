using System.Reflection;
using System.Reflection.Metadata;
using System.Runtime.CompilerServices;

namespace MLExtensions.Native;

/// <summary>
/// ML.NET's images (Microsoft.ML.ImageAnalytics 5.0.1) were compiled against SkiaSharp 2.88, whose <c>SKBitmap.GetPixelSpan</c> returns a
/// <c>ReadOnlySpan&lt;byte&gt;</c>; SkiaSharp 3, which ScottPlot needs, returns a <c>Span&lt;byte&gt;</c>. It is the only missing member
/// for <c>MLImage.Pixels</c> and <c>ExtractPixels</c>, so the reference to it is corrected in memory.
/// </summary>
internal static class OldImageAnalytics
{
    /// <summary>The <see cref="AppContext"/> switch that turns this off.</summary>
    internal const string OffSwitch = "MLExtensions.NoImagePatch";

    private const string ImageAnalytics = "Microsoft.ML.ImageAnalytics";
    private static readonly Lock Gate = new();
    private static bool _tried;

    /// <summary>Whether the reference was corrected.</summary>
    internal static bool Mended { get; private set; }

    /// <summary>Waits until the assembly is loaded, so that programs without images do not load it.</summary>
    [ModuleInitializer]
    internal static void Register()
    {
        if (AppContext.TryGetSwitch(OffSwitch, out var off) && off)
            return;
        AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) => Mend(loaded.LoadedAssembly);
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies())
            Mend(assembly);
    }

    private static void Mend(Assembly assembly)
    {
        if (assembly.IsDynamic || assembly.GetName().Name != ImageAnalytics)
            return;
        lock (Gate)
        {
            if (_tried)
                return;
            _tried = true;
            Mended = HasNewSkiaSharp() && TryMend(assembly);
        }
    }

    private static bool HasNewSkiaSharp()
    {
        try
        {
            var bitmap = Assembly.Load("SkiaSharp").GetType("SkiaSharp.SKBitmap");
            return bitmap?.GetMethod("GetPixelSpan", Type.EmptyTypes)?.ReturnType == typeof(Span<byte>);
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            return false; // the error of ML.NET's images says what is missing
        }
    }

    private static unsafe bool TryMend(Assembly assembly)
    {
        if (!assembly.TryGetRawMetadata(out var start, out var length))
            return false;
        var change = SpanReference.Find(new MetadataReader(start, length));
        return change != null && MemoryPages.TryMakeWritable((nint)start, length) && change.Apply(new Span<byte>(start, length));
    }
}
